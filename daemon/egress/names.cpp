#include "daemon/egress/names.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "daemon/egress/address_text.hpp"
#include "daemon/egress/name_text.hpp"
#include "platform/linux/network/doors.hpp"

namespace reeve::egress {
namespace {

using platform::network::kFour;
using platform::network::kFourPrefix;
using platform::network::kSix;

// Hosts .1 to .254 of each /24: programs take .0 and .255 for what they are in a /24.
constexpr std::size_t kEach = 254;
constexpr std::size_t kFirst = 1;  // 198.18.0.1 is lo's
constexpr std::size_t kMost = (std::size_t{1} << (32 - kFourPrefix - 8)) * kEach - kFirst;

std::uint32_t four_of(std::size_t index) {
    const std::size_t place = index + kFirst;
    return kFour | static_cast<std::uint32_t>((place / kEach) << 8 | (place % kEach + 1));
}

std::optional<std::size_t> index_of(std::uint32_t four) {
    const std::uint32_t offset = four & ((1U << (32 - kFourPrefix)) - 1), last = offset & 0xFF;
    if ((four ^ offset) != kFour || last == 0 || last == 0xFF) return std::nullopt;
    const std::size_t place = (offset >> 8) * kEach + last - 1;
    if (place < kFirst) return std::nullopt;
    return place - kFirst;
}

std::uint32_t tail_of(const policy::Address& address) {
    std::uint32_t tail = 0;
    std::memcpy(&tail, address.bytes.data() + 12, sizeof tail);
    return ntohl(tail);
}

// The IPv6 address of a name ends in the bytes of its IPv4 one.
policy::Address six_of(std::uint32_t four) {
    policy::Address six;
    std::ranges::copy(kSix, six.bytes.begin());
    const std::uint32_t tail = htonl(four);
    std::memcpy(six.bytes.data() + 12, &tail, sizeof tail);
    return six;
}

}  // namespace

Names::Names(std::size_t most, std::size_t first)
    : most_(std::min(most, kMost - std::min(first, kMost))), first_(first) {}

std::optional<Names::Pair> Names::addresses_of(std::string_view name) {
    const std::string plain = plain_name(name);
    auto found = index_.find(plain);
    if (found == index_.end()) {
        if (plain.empty() || names_.size() >= most_) return std::nullopt;
        names_.push_back(plain);
        found = index_.emplace(names_.back(), names_.size() - 1).first;
    }
    const std::uint32_t four = four_of(first_ + found->second);
    return Pair{four_address(in_addr{htonl(four)}), six_of(four)};
}

std::string_view Names::name_of(const policy::Address& address) const {
    if (!is_synthetic(address)) return {};
    const auto index = index_of(tail_of(address));
    if (!index || *index < first_ || *index - first_ >= names_.size()) return {};
    if (!is_four(address) && six_of(four_of(*index)) != address) return {};
    return names_[*index - first_];
}

bool Names::is_synthetic(const policy::Address& address) {
    if (is_four(address)) return tail_of(address) >> (32 - kFourPrefix) == kFour >> (32 - kFourPrefix);
    return std::equal(kSix.begin(), kSix.end(), address.bytes.begin());
}

}  // namespace reeve::egress
