#include "daemon/egress/lookup_reports.hpp"

#include <chrono>
#include <utility>

namespace reeve::egress {
namespace {

constexpr std::chrono::seconds kWindow{1};
constexpr std::size_t kMostWaiting = 1024;  // then they go early

}  // namespace

LookupReports::LookupReports(platform::EventLoop& loop, std::function<void(Report)> report)
    : loop_(loop), report_(std::move(report)) {}

LookupReports::~LookupReports() {
    flush();
}

void LookupReports::add(Report report) {
    const auto [found, is_new] =
        index_.try_emplace(Key{report.host, report.type, report.outcome, report.address}, waiting_.size());
    if (!is_new) {
        waiting_[found->second].count += report.count;
        return;
    }
    waiting_.push_back(std::move(report));
    if (waiting_.size() >= kMostWaiting) return flush();
    if (!timer_)
        timer_ = loop_.after(kWindow, [this] {
            timer_.reset();
            flush();
        });
}

void LookupReports::flush() {
    if (timer_) loop_.cancel(*timer_);
    timer_.reset();
    index_.clear();
    for (Report& report : std::exchange(waiting_, {})) report_(std::move(report));
}

}  // namespace reeve::egress
