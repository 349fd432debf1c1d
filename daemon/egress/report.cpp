#include "daemon/egress/report.hpp"

#include <array>
#include <cstring>

#include "platform/linux/wire.hpp"

namespace reeve::egress {
namespace {

// Enumerations travel as bytes, which may be anything when they arrive.
struct Words {
    std::uint8_t outcome = 0, verdict = 0;
};

template <class V, class R>
void all(V& v, R& r, Words& words) {
    v(r.lookup, words.outcome, words.verdict, r.by_rule, r.rule, r.reason, r.host, r.port, r.type, r.address,
      r.protocol, r.sni, r.alpn, r.pid, r.start_ns, r.exe, r.count, r.bytes_up, r.bytes_down, r.monotonic_ns,
      r.duration_ns, r.ended);
}

template <class R>
auto texts(R& r) {
    return std::array{&r.rule,     &r.reason, &r.host, &r.type, &r.address,
                      &r.protocol, &r.sni,    &r.alpn, &r.exe,  &r.ended};
}

constexpr auto kOutcomes = static_cast<std::uint8_t>(Outcome::failed) + 1;
constexpr auto kVerdicts = static_cast<std::uint8_t>(policy::Verdict::deny) + 1;

bool in_range(const Report& report, const Words& words) {
    return words.outcome < kOutcomes && words.verdict < kVerdicts && report.pid >= 0 && report.count != 0;
}

}  // namespace

std::size_t text_size(const Report& report) {
    std::size_t size = 0;
    for (const std::string* text : texts(report)) size += text->size();
    return size;
}

std::string encode(const Report& report) {
    Report cut = report;
    for (std::string* text : texts(cut))
        if (text->size() > kMostText) text->resize(kMostText);
    Words words{static_cast<std::uint8_t>(cut.outcome), static_cast<std::uint8_t>(cut.verdict)};
    platform::wire::Writer body, whole;
    all(body, cut, words);
    whole(body.bytes);
    return std::move(whole.bytes);
}

platform::Result<std::vector<Report>> parse_reports(std::string_view packet) {
    const auto wrong = [] { return platform::error("read reports of reeve-egress", "", "malformed"); };
    std::vector<Report> reports;
    while (!packet.empty()) {
        std::uint32_t size = 0;
        if (packet.size() < sizeof size) return wrong();
        std::memcpy(&size, packet.data(), sizeof size);
        packet.remove_prefix(sizeof size);
        if (size > packet.size()) return wrong();
        platform::wire::Reader reader(packet.substr(0, size));
        packet.remove_prefix(size);
        Report& report = reports.emplace_back();
        Words words;
        all(reader, report, words);
        if (!reader.complete() || !in_range(report, words)) return wrong();
        for (const std::string* text : texts(report))
            if (text->size() > kMostText) return wrong();
        report.outcome = static_cast<Outcome>(words.outcome);
        report.verdict = static_cast<policy::Verdict>(words.verdict);
    }
    if (reports.empty()) return wrong();
    return reports;
}

}  // namespace reeve::egress
