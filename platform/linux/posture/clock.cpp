// Is the clock right, as far as this machine can know? Signatures with a wrong time are worse than none.
#include <sys/timex.h>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kSynchronised{"time", "synchronised"};
constexpr std::int64_t kNotBefore = 1'767'225'600;  // 2026-01-01: this code did not exist before
constexpr const char* kTodo = "switch on systemd-timesyncd or chrony";

Check synchronised(const Sources& from) {
    const auto now = from.kernel.wall_seconds();
    if (now < kNotBefore)
        return fail(kSynchronised, reason::kClockInvalid, "the clock is years behind", kTodo);
    // systemd-timesyncd touches this file while it runs: time cannot be before it
    // (systemd-timesyncd.service(8)).
    const auto saved = from.files.stat("/var/lib/systemd/timesync/clock");
    if (!saved && saved.error().code != ENOENT) return not_run(kSynchronised, saved.error());
    if (saved && saved->modified > now + 60)
        return fail(kSynchronised, reason::kClockInvalid, "the clock is behind the time that was saved last",
                    kTodo);

    const auto clock = from.kernel.clock_status();
    if (!clock) return not_run(kSynchronised, clock.error());
    const bool kernel_says_no = clock->state == TIME_ERROR || (clock->status & STA_UNSYNC);
    if (kernel_says_no)
        return fail(kSynchronised, reason::kUnsynchronised, "no time service keeps the clock right", kTodo);
    return success(kSynchronised, "the clock is synchronised");
}

}  // namespace

std::vector<Check> probe_clock(const Sources& from, const Subject&) {
    return {synchronised(from)};
}

}  // namespace reeve::platform::posture
