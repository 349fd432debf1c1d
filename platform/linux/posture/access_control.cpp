// Does a mandatory access control enforce anything? AppArmor or SELinux, from securityfs and selinuxfs.
#include <algorithm>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kAccessControl{"kernel", "access-control"};

Check selinux(const FileSystem& files) {
    const auto text = files.read("/sys/fs/selinux/enforce");
    if (!text && text.error().code == ENOENT)
        return not_run(kAccessControl, reason::kNotMounted, "SELinux is on, but selinuxfs is not mounted");
    if (!text) return not_run(kAccessControl, text.error());
    if (trim(*text) == "1") return success(kAccessControl, "SELinux enforces its policy");
    if (trim(*text) == "0")
        return fail(kAccessControl, reason::kPassiveMode, "SELinux is permissive", "set SELINUX=enforcing");
    return not_run(kAccessControl, malformed("/sys/fs/selinux/enforce", "neither 0 nor 1").error());
}

Check apparmor(const FileSystem& files) {
    const auto text = files.read("/sys/kernel/security/apparmor/profiles", 4 * 1024 * 1024);
    if (!text) return not_run(kAccessControl, text.error());
    const auto enforced = parse_apparmor_profiles(*text);
    if (!enforced) return not_run(kAccessControl, enforced.error());
    if (*enforced == 0)
        return fail(kAccessControl, reason::kPassiveMode, "AppArmor is on, but no profile is enforced",
                    "load profiles: apt install apparmor");
    return success(kAccessControl, "AppArmor enforces " + std::to_string(*enforced) + " profiles");
}

Check access_control(const FileSystem& files) {
    const auto text = files.read("/sys/kernel/security/lsm");
    if (!text && text.error().code == ENOENT)
        return not_run(kAccessControl, reason::kNotMounted, "securityfs is not mounted",
                       "mount securityfs on /sys/kernel/security");
    if (!text) return not_run(kAccessControl, text.error());
    const auto modules = parse_lsm(*text);
    if (!modules) return not_run(kAccessControl, modules.error());
    const auto has = [&](std::string_view name) {
        return std::ranges::find(*modules, name) != modules->end();
    };
    if (has("selinux")) return selinux(files);
    if (has("apparmor")) return apparmor(files);
    if (has("smack") || has("tomoyo"))
        return not_run(kAccessControl, reason::kUnsupported,
                       "only AppArmor and SELinux can be asked, not " + printable(trim(*text)));
    return absent(kAccessControl, reason::kNotInstalled,
                  "neither AppArmor nor SELinux is on: " + printable(trim(*text)),
                  "start the kernel with AppArmor or SELinux");
}

}  // namespace

Result<std::vector<std::string>> parse_lsm(std::string_view text) {
    std::vector<std::string> modules;
    for (auto rest = trim(text); !rest.empty();) {
        const auto name = next(rest, ',');
        const bool plain = std::ranges::all_of(
            name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
        if (name.empty() || name.size() > 32 || !plain)
            return malformed("/sys/kernel/security/lsm", "'" + printable(name) + "' is no name of a module");
        modules.emplace_back(name);
    }
    if (modules.empty()) return malformed("/sys/kernel/security/lsm", "it is empty");
    return modules;
}

Result<std::size_t> parse_apparmor_profiles(std::string_view text) {
    std::size_t enforced = 0;
    while (!text.empty()) {
        const auto line = next(text, '\n');
        const auto mode = line.rfind(" (");
        if (mode == std::string_view::npos || mode == 0 || line.back() != ')')
            return malformed("apparmor/profiles", "no mode in '" + printable(line) + "'");
        // "kill" is enforcing too, with a harder answer.
        const auto word = line.substr(mode + 2, line.size() - mode - 3);
        if (word == "enforce" || word == "kill") ++enforced;
    }
    return enforced;
}

std::vector<Check> probe_access_control(const Sources& from, const Subject&) {
    return {access_control(from.files)};
}

}  // namespace reeve::platform::posture
