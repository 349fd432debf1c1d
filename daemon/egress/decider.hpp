// Who answers for an `ask`: a connection waits here, its bytes unsent, until there is an answer or its deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace reeve::egress {

struct Question {
    std::string host;
    std::uint16_t port = 0;
    std::string rule, reason;
    std::string
        domain;       // the registrable domain (public suffix list); empty for an address or a public suffix
    std::string exe;  // who asks; may be empty
};
enum class Scope : std::uint8_t { host_and_port, host, domain };
struct Answer {
    bool allow = false;
    Scope scope = Scope::host_and_port;
    std::string reason;  // why not
};

class Decider {
  public:
    virtual ~Decider() = default;
    // `answered` is called at most once, from the loop, never from within; not at all after cancel(id).
    virtual std::uint64_t ask(const Question& question, std::function<void(const Answer&)> answered) = 0;
    virtual void cancel(std::uint64_t id) = 0;
};

}  // namespace reeve::egress
