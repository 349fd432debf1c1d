// The outside's addresses of a name. The interface, and the system's resolver behind it (c-ares: resolv.conf, hosts).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "policy/network.hpp"

namespace reeve::egress {

struct Addresses {
    enum class State : std::uint8_t { found, no_such_name, failed };
    State state = State::failed;
    std::vector<policy::Address> four, six;  // both empty with found: the name has neither
    std::string why;                         // failed: in words
};

class Resolver {
  public:
    virtual ~Resolver() = default;
    // `name` is a host name without a final dot; search domains are not tried. `done` is called once, from the loop, never
    // from within.
    virtual void resolve(const std::string& name, std::function<void(const Addresses&)> done) = 0;
};

}  // namespace reeve::egress
