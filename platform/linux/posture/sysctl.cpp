// The few kernel settings that decide whether one of the person's processes can look into another or into the
// kernel.
#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

struct Setting {
    Id id;
    const char* path;
    const char* key;
    std::uint64_t least;  // this or more is as it should be
    const char* why;
};
constexpr Setting kSettings[] = {
    {{"kernel", "ptrace-scope"},
     "/proc/sys/kernel/yama/ptrace_scope",
     "kernel.yama.ptrace_scope",
     1,
     "a program may read the memory of all others of the same person"},
    {{"kernel", "unprivileged-bpf"},
     "/proc/sys/kernel/unprivileged_bpf_disabled",
     "kernel.unprivileged_bpf_disabled",
     1,
     "anybody may load BPF programs into the kernel"},
    {{"kernel", "dmesg-restrict"},
     "/proc/sys/kernel/dmesg_restrict",
     "kernel.dmesg_restrict",
     1,
     "anybody may read the kernel's log"},
    {{"kernel", "kptr-restrict"},
     "/proc/sys/kernel/kptr_restrict",
     "kernel.kptr_restrict",
     1,
     "the kernel's addresses are shown to anybody who asks in the right place"},
};

Check check(const FileSystem& files, const Setting& setting) {
    const auto text = files.read(setting.path);
    if (!text && text.error().code == ENOENT) {
        // Without /proc/sys nothing is known; with it, the kernel has no such setting.
        if (const auto proc = files.stat("/proc/sys/kernel"); !proc) return not_run(setting.id, proc.error());
        return absent(setting.id, reason::kNotInKernel, std::string("this kernel has no ") + setting.key);
    }
    if (!text) return not_run(setting.id, text.error());
    const auto value = number(setting.path, trim(*text));
    if (!value) return not_run(setting.id, value.error());
    const auto shown = std::string(setting.key) + " is " + std::to_string(*value);
    if (*value >= setting.least) return success(setting.id, shown);
    return fail(setting.id, value_reason(std::to_string(*value)), shown + ": " + setting.why,
                std::string("sysctl ") + setting.key + "=" + std::to_string(setting.least));
}

}  // namespace

std::vector<Check> probe_sysctl(const Sources& from, const Subject&) {
    std::vector<Check> checks;
    for (const auto& setting : kSettings) checks.push_back(check(from.files, setting));
    return checks;
}

}  // namespace reeve::platform::posture
