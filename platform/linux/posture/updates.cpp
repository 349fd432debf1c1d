// Are security updates waiting, and does the system run what was installed? Debian and its kin only, from
// what is on this machine: no network is used, so lists that are old make the answer not-run ("stale") unless
// it is already no.
#include <algorithm>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kSecurity{"updates", "security"};
constexpr Id kRebooted{"updates", "rebooted"};
constexpr std::int64_t kStaleAfter = 7 * 86400;  // seconds: Debian's lists themselves expire after seven days

// When apt last fetched something, 0 if never. The lists carry the server's time stamps, so that the newest
// one is an under-estimate at worst; the stamp of apt's own timer counts where it is on.
std::int64_t lists_fetched(const FileSystem& files) {
    std::int64_t newest = 0;
    const auto see = [&](const std::string& path) {
        if (const auto stat = files.stat(path)) newest = std::max(newest, stat->modified);
    };
    see("/var/lib/apt/periodic/update-success-stamp");
    const auto lists = files.list("/var/lib/apt/lists");
    if (!lists) return newest;
    for (const auto& name : *lists)
        if (name.ends_with("Release")) see("/var/lib/apt/lists/" + name);
    return newest;
}

bool contains_security(std::string_view text) {
    return text.find("-security") != std::string_view::npos ||
           text.find("-Security") != std::string_view::npos;
}

Check security_updates(const Sources& from) {
    if (const auto dpkg = from.files.stat("/var/lib/dpkg/status"); !dpkg) {
        if (dpkg.error().code != ENOENT) return not_run(kSecurity, dpkg.error());
        return not_run(kSecurity, reason::kUnsupported, "only systems with apt can be asked so far");
    }
    const auto output = from.exec.run("apt-simulate");
    if (!output && output.error().code == ENOENT)
        return not_run(kSecurity, reason::kNotInstalled, "apt-get is not installed");
    if (!output) return not_run(kSecurity, output.error());
    if (output->status != 0)
        return not_run(kSecurity, reason::kIoError,
                       "apt-get gave exit code " + std::to_string(output->status),
                       "run apt-get --simulate dist-upgrade to see why");
    const auto upgrades = parse_apt_simulation(output->standard_output);
    if (!upgrades) return not_run(kSecurity, upgrades.error());
    if (upgrades->security > 0)
        return fail(kSecurity, reason::kPending,
                    std::to_string(upgrades->security) + " security updates wait, " +
                        upgrades->first_security + " among them",
                    "apt-get update && apt-get dist-upgrade");

    const auto fetched = lists_fetched(from.files);
    if (fetched == 0)
        return not_run(kSecurity, reason::kStale, "no package lists were ever fetched", "apt-get update");
    const auto age = from.kernel.wall_seconds() - fetched;
    if (age < -86400)
        return not_run(kSecurity, reason::kClockInvalid, "the package lists are from the future");
    if (age > kStaleAfter)
        return not_run(kSecurity, reason::kStale,
                       "the package lists are " + std::to_string(age / 86400) + " days old",
                       "apt-get update");
    return success(kSecurity, "no security update waits; " + std::to_string(upgrades->all) + " others do");
}

Check rebooted(const FileSystem& files) {
    const auto wanted = files.stat("/run/reboot-required");
    if (wanted)
        return fail(kRebooted, reason::kPending, "an update takes effect only after a restart",
                    "restart the computer");
    if (wanted.error().code != ENOENT) return not_run(kRebooted, wanted.error());
    // The flag means something only where a hook sets it.
    for (const char* hook :
         {"/etc/kernel/postinst.d/unattended-upgrades", "/etc/kernel/postinst.d/update-notifier"})
        if (files.stat(hook)) return success(kRebooted, "no update waits for a restart");
    return not_run(kRebooted, reason::kNotInstalled, "nothing here records whether a restart is due",
                   "apt-get install unattended-upgrades");
}

}  // namespace

Result<Upgrades> parse_apt_simulation(std::string_view text) {
    // Inst libssl3 [3.0.11-1] (3.0.14-1~deb12u2 Debian-Security:12/stable-security [amd64])
    Upgrades upgrades;
    bool whole = false;
    while (!text.empty()) {
        auto line = next(text, '\n');
        // "3 upgraded, 0 newly installed, 0 to remove and 0 not upgraded."
        if (line.find(" upgraded, ") != std::string_view::npos &&
            line.find(" newly installed, ") != std::string_view::npos)
            whole = true;
        if (!line.starts_with("Inst ")) continue;
        next(line, ' ');
        const auto package = next(line, ' ');
        const auto open = line.find('(');
        const auto close = line.find(')');
        if (package.empty() || open == std::string_view::npos || close == std::string_view::npos ||
            close < open)
            return malformed("apt-get's answer", "'" + printable(line) + "'");
        auto origins = line.substr(open + 1, close - open - 1);
        next(origins, ' ');  // the version, which may say anything
        ++upgrades.all;
        if (!contains_security(origins)) continue;
        if (++upgrades.security == 1) upgrades.first_security = printable(package);
    }
    if (!whole) return malformed("apt-get's answer", "it has no summary");
    return upgrades;
}

std::vector<Check> probe_security_updates(const Sources& from, const Subject&) {
    return {security_updates(from)};
}
std::vector<Check> probe_rebooted(const Sources& from, const Subject&) {
    return {rebooted(from.files)};
}

}  // namespace reeve::platform::posture
