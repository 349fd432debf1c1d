// Synthetic addresses: which name an address inside the session stands for.
//
// An address is given to one name and never to a second one, since any process of the session may have kept it; when
// there are no more, further names are refused. Not thread-safe.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "policy/network.hpp"

namespace reeve::egress {

class Names {
  public:
    // At most so many names, from that place of the range on; never more than the IPv4 range has. One who begins where
    // another ended gives none of the other's addresses.
    explicit Names(std::size_t most = 131'000, std::size_t first = 0);

    struct Pair {
        policy::Address four, six;
    };
    // The name's addresses, the same at each call; nothing: there are no more. `name` is compared as DNS does: without
    // case and final dot.
    std::optional<Pair> addresses_of(std::string_view name);
    // The name of a synthetic address, in lower case and without a final dot; empty: none (yet).
    std::string_view name_of(const policy::Address& address) const;
    // Whether it lies in the ranges that synthetic addresses are taken from, given or not.
    static bool is_synthetic(const policy::Address& address);

  private:
    std::size_t most_, first_;
    std::deque<std::string> names_;  // a deque: views of its strings stay good
    std::unordered_map<std::string_view, std::size_t> index_;
};

}  // namespace reeve::egress
