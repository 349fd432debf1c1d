#include "daemon/posture/collector.hpp"

#include <algorithm>
#include <exception>

namespace reeve::posture {

using platform::posture::Probe;
using platform::posture::Subject;

const Check* Posture::find(std::string_view id) const {
    const auto found = std::ranges::find(checks, id, &Check::id);
    return found == checks.end() ? nullptr : &*found;
}

Collector::Collector(platform::posture::Sources sources, std::span<const Probe> probes, Monotonic monotonic)
    : sources_(std::move(sources)), probes_(probes), monotonic_(std::move(monotonic)) {}

std::vector<Check> Collector::run(const Probe& probe, const Subject& subject) const {
    const auto collected = sources_.kernel.wall_seconds();
    std::vector<Check> checks;
    std::string failure = "the probe did not report it";
    try {
        checks = probe.run(sources_, subject);
    } catch (const std::exception& thrown) {
        failure = thrown.what();
    }
    // A probe that died, or forgot a name, leaves "not-run" and no gap.
    for (const auto name : probe.names)
        if (std::ranges::find(checks, name, &Check::name) == checks.end())
            checks.push_back({.area = std::string(probe.area),
                              .name = std::string(name),
                              .word = Word::kNotRun,
                              .reason = std::string(platform::posture::reason::kInternal),
                              .detail = failure,
                              .todo = {}});
    for (auto& check : checks) check.collected = collected;
    return checks;
}

Posture Collector::collect(const Subject& subject, std::chrono::seconds max_age) {
    const std::lock_guard flight(mutex_);
    const auto now = monotonic_();
    // Results for people who have not asked for long are let go, so that what is kept is bounded.
    std::erase_if(kept_, [&](const auto& entry) {
        return now - entry.second.at > std::chrono::seconds(probes_[entry.first.first].max_age);
    });

    Posture posture;
    for (std::size_t i = 0; i < probes_.size(); ++i) {
        const auto key = std::pair(i, probes_[i].of_person ? subject.home : std::string());
        auto kept = kept_.find(key);
        if (kept == kept_.end() || now - kept->second.at > max_age)
            // Stamped with the time before it ran: what it saw is at least that young.
            kept = kept_.insert_or_assign(key, Kept{.at = monotonic_(), .checks = run(probes_[i], subject)})
                       .first;
        posture.checks.insert(posture.checks.end(), kept->second.checks.begin(), kept->second.checks.end());
    }
    if (!posture.checks.empty())
        posture.collected = std::ranges::min(posture.checks, {}, &Check::collected).collected;
    return posture;
}

}  // namespace reeve::posture
