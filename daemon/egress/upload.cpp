#include "daemon/egress/upload.hpp"

#include <algorithm>
#include <limits>

namespace reeve::egress {

std::uint64_t Budgets::left(const std::string& host) const {
    std::uint64_t left = std::numeric_limits<std::uint64_t>::max();
    if (session_ != 0) left = session_ - std::min(session_, used_);
    if (host_ == 0) return left;
    const auto found = used_by_host_.find(host);
    const std::uint64_t used = found == used_by_host_.end() ? 0 : found->second;
    return std::min(left, host_ - std::min(host_, used));
}

void Budgets::take(const std::string& host, std::uint64_t bytes) {
    used_ += bytes;
    if (host_ != 0) used_by_host_[host] += bytes;
}

}  // namespace reeve::egress
