#include "daemon/access/report.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <numeric>

#include "platform/linux/seqpacket.hpp"

namespace reeve::access {
namespace {

using platform::error;

enum Flag : std::uint8_t { kByRule = 1, kDecided = 2, kDirectory = 4, kCanary = 8 };
constexpr std::uint8_t kAllFlags = 15;

// The fixed part of a report; its five texts follow, in the order of `texts`. Equal accesses are equal in all that
// stands before `count`, and in their texts.
struct Head {
    std::int32_t pid, parent, error;
    std::uint8_t action, verdict, flags, reserved;
    std::uint64_t start_ns;
    std::array<std::uint32_t, 5> lengths;
    std::uint32_t padding;
    std::uint64_t count, monotonic_ns;
};
static_assert(std::has_unique_object_representations_v<Head>);

template <class R>
auto texts(R& r) {
    return std::array{&r.exe, &r.operation, &r.path, &r.target, &r.rule};
}

Head head_of(const Report& report) {
    Head head{};
    head.pid = report.pid;
    head.parent = report.parent;
    head.error = report.error;
    head.action = static_cast<std::uint8_t>(report.action);
    head.verdict = static_cast<std::uint8_t>(report.verdict);
    head.flags =
        static_cast<std::uint8_t>((report.by_rule ? kByRule : 0) | (report.decided ? kDecided : 0) |
                                  (report.directory ? kDirectory : 0) | (report.canary ? kCanary : 0));
    head.start_ns = report.start_ns;
    head.count = report.count;
    head.monotonic_ns = report.monotonic_ns;
    const auto all = texts(report);
    for (std::size_t i = 0; i < all.size(); ++i)
        head.lengths[i] = static_cast<std::uint32_t>(std::min(all[i]->size(), kMostText));
    return head;
}

}  // namespace

bool Packet::append(const Report& report) {
    const Head head = head_of(report);
    const auto all = texts(report);
    const std::size_t size =
        std::accumulate(head.lengths.begin(), head.lengths.end(), std::size_t{sizeof head});
    if (bytes_.size() + size > platform::kMaxPacket) return false;
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof head);
    for (std::size_t i = 0; i < all.size(); ++i) bytes_.append(*all[i], 0, head.lengths[i]);
    return true;
}

bool Packet::repeat(std::size_t at, const Report& report) {
    const Head head = head_of(report);
    if (std::memcmp(bytes_.data() + at, &head, offsetof(Head, count)) != 0) return false;
    const auto all = texts(report);
    const char* text = bytes_.data() + at + sizeof head;
    for (std::size_t i = 0; i < all.size(); text += head.lengths[i++])
        if (std::string_view(text, head.lengths[i]) != all[i]->substr(0, head.lengths[i])) return false;
    std::uint64_t count;
    char* const counted = bytes_.data() + at + offsetof(Head, count);
    std::memcpy(&count, counted, sizeof count);
    count += report.count;
    std::memcpy(counted, &count, sizeof count);
    return true;
}

platform::Result<std::vector<Report>> parse_reports(std::string_view packet) {
    std::vector<Report> reports;
    const auto wrong = [](const char* what) { return error("read reports", "", what, "end the session"); };
    while (!packet.empty()) {
        Head head;
        if (packet.size() < sizeof head) return wrong("cut short");
        std::memcpy(&head, packet.data(), sizeof head);
        packet.remove_prefix(sizeof head);
        if (head.action >= policy::kFileActions || head.verdict > static_cast<int>(policy::Verdict::deny) ||
            head.flags > kAllFlags || head.count == 0 || head.reserved != 0 || head.padding != 0)
            return wrong("a value that no report has");
        Report report{.pid = head.pid,
                      .start_ns = head.start_ns,
                      .parent = head.parent,
                      .action = static_cast<policy::FileAction>(head.action),
                      .verdict = static_cast<policy::Verdict>(head.verdict),
                      .by_rule = (head.flags & kByRule) != 0,
                      .decided = (head.flags & kDecided) != 0,
                      .directory = (head.flags & kDirectory) != 0,
                      .canary = (head.flags & kCanary) != 0,
                      .error = head.error,
                      .count = head.count,
                      .monotonic_ns = head.monotonic_ns};
        const auto all = texts(report);
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (head.lengths[i] > kMostText || head.lengths[i] > packet.size()) return wrong("cut short");
            *all[i] = packet.substr(0, head.lengths[i]);
            packet.remove_prefix(head.lengths[i]);
        }
        reports.push_back(report);
    }
    return reports;
}

}  // namespace reeve::access
