// Reports of lookups: equal ones within a second of the first become one with a count.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "daemon/egress/report.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

class LookupReports {
  public:
    LookupReports(platform::EventLoop& loop, std::function<void(Report)> report);
    LookupReports(const LookupReports&) = delete;
    LookupReports& operator=(const LookupReports&) = delete;
    ~LookupReports();

    // Equal: name, type, outcome and answer.
    void add(Report report);
    // All that wait, in the order of their first.
    void flush();

  private:
    using Key = std::tuple<std::string, std::string, Outcome, std::string>;

    platform::EventLoop& loop_;
    std::function<void(Report)> report_;
    std::vector<Report> waiting_;
    std::map<Key, std::size_t> index_;
    std::optional<platform::EventLoop::TimerId> timer_;  // only while something waits
};

}  // namespace reeve::egress
