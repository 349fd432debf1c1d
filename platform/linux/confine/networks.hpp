// The networks that reeve-spawner has for sessions: one made ahead, since that takes a millisecond, and those whose
// doors were handed out and whose sessions have not come yet.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "platform/linux/confine/network.hpp"
#include "platform/linux/network/doors.hpp"

namespace reeve::platform::confine {

// For a process with one thread, which changes its namespaces by most calls. What it starts is in those that it is in
// then. A network without doors is one without a way out.
class Networks {
  public:
    // Sees that there is one that is no session's yet.
    Status prepare();

    // The doors of an unused one, which from then on is only for who gives its number. Where the last attempt to build
    // doors failed there is another.
    struct Taken {
        std::uint64_t number = 0;
        network::Doors doors;
    };
    Result<Taken> take_doors();

    // Moves this process into the network of that number; 0: into one whose doors nobody has taken. An Error: that number
    // was used, or given up because so many came after it and were not used.
    Status enter(std::uint64_t number);
    // It belongs to a session now, and doors that nobody has taken are closed.
    void used() { current_.reset(); }

  private:
    struct Network {
        std::uint64_t number = 0;
        Result<network::Doors> doors;
        bool taken = false;
    };
    struct Parked {
        std::uint64_t number = 0;
        Namespaces namespaces;
    };
    static constexpr std::size_t kMostParked = 4;

    Status make();
    void park();
    bool is_free() const { return current_ && !current_->taken; }

    std::optional<Network> current_;  // what this process is in; nothing: in a session's, or in the host's
    std::deque<Parked> parked_;
    std::uint64_t last_number_ = 0;
};

}  // namespace reeve::platform::confine
