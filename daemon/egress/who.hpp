// Which process a connection is of: what reeve-keeper said of each socket that connects, found again by the inode of the
// socket inside.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

#include "daemon/egress/processes.hpp"
#include "platform/fd.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

// A connection as its client's socket sees it.
struct Ends {
    sockaddr_storage client{}, destination{};
};

class Who {
  public:
    // platform::network::socket_inode() at Door::diag.
    using InodeOf = std::function<platform::Result<std::uint64_t>(const Ends&)>;
    static constexpr std::size_t kMostKept = 4096;  // the newest

    // Without `processes` nobody is known.
    Who(platform::EventLoop& loop, platform::Fd processes, InodeOf inode_of);
    ~Who();
    Who(const Who&) = delete;
    Who& operator=(const Who&) = delete;

    platform::Status start();
    // Nothing: not known. The pointer holds until the next call.
    const Connecting* find(const Ends& ends);
    // Whether the client has closed its socket, and not only its sending side.
    bool is_closed(const Ends& ends) const;

  private:
    void take_all();
    void keep(Connecting connecting);

    platform::EventLoop& loop_;
    platform::Fd processes_;
    const InodeOf inode_of_;
    std::unordered_map<std::uint64_t, Connecting> by_inode_;
    std::deque<std::uint64_t> order_;  // inodes, oldest first
};

}  // namespace reeve::egress
