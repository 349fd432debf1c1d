// What was granted to this session when it was asked about: a later connection that is covered is not asked about again.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/egress/decider.hpp"

namespace reeve::egress {

class Grants {
  public:
    // A domain that is empty grants the host alone.
    void add(const Question& question, Scope scope);
    bool covers(const std::string& host, std::uint16_t port) const;
    // Called behind each add(): what waits may be covered by now.
    void on_added(std::function<void()> added) { added_ = std::move(added); }

  private:
    std::function<void()> added_;
    std::set<std::pair<std::string, std::uint16_t>> host_and_port_;
    std::set<std::string> hosts_, domains_;
};

}  // namespace reeve::egress
