// Can root change the running kernel? From securityfs (security/lockdown, kernel_lockdown(7)).
#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kLockdown{"boot", "lockdown"};

Check lockdown(const FileSystem& files) {
    const auto text = files.read("/sys/kernel/security/lockdown");
    if (!text && text.error().code != ENOENT) return not_run(kLockdown, text.error());
    if (!text) {
        const auto lsm = files.read("/sys/kernel/security/lsm");
        if (!lsm && lsm.error().code == ENOENT)
            return not_run(kLockdown, reason::kNotMounted, "securityfs is not mounted",
                           "mount securityfs on /sys/kernel/security");
        if (!lsm) return not_run(kLockdown, lsm.error());
        return absent(kLockdown, reason::kNotInKernel, "this kernel has no lockdown");
    }
    const auto mode = parse_lockdown(*text);
    if (!mode) return not_run(kLockdown, mode.error());
    if (*mode == "none")
        return fail(kLockdown, value_reason(*mode), "root may change the running kernel",
                    "start the kernel with lockdown=integrity");
    return success(kLockdown, "lockdown is " + *mode);
}

}  // namespace

Result<std::string> parse_lockdown(std::string_view text) {
    const auto open = text.find('['), close = text.find(']');
    if (open == std::string_view::npos || close == std::string_view::npos || close < open)
        return malformed("lockdown", "no mode is marked in '" + printable(text) + "'");
    const auto mode = text.substr(open + 1, close - open - 1);
    for (const std::string_view known : {"none", "integrity", "confidentiality"})
        if (mode == known) return std::string(mode);
    return malformed("lockdown", "unknown mode '" + printable(mode) + "'");
}

std::vector<Check> probe_lockdown(const Sources& from, const Subject&) {
    return {lockdown(from.files)};
}

}  // namespace reeve::platform::posture
