#include "platform/linux/posture/probes.hpp"

#include "platform/linux/posture/checks.hpp"

namespace reeve::platform::posture {

std::span<const Probe> probes() {
    constexpr unsigned kMinute = 60, kHour = 3600, kDay = 86400;
    // How long a result stays good: until a restart for what firmware and kernel fix at boot (a day is a
    // bound, not a wish), a minute for what can change under our feet, longer where asking costs seconds of
    // CPU.
    static const std::vector<Probe> kProbes = {
        {"boot", {"secure-boot"}, kDay, false, probe_secure_boot},
        {"boot", {"lockdown"}, kMinute, false, probe_lockdown},
        {"kernel", {"access-control"}, kMinute, false, probe_access_control},
        {"kernel", {"untainted"}, kMinute, false, probe_taint},
        {"kernel",
         {"ptrace-scope", "unprivileged-bpf", "dmesg-restrict", "kptr-restrict"},
         kMinute,
         false,
         probe_sysctl},
        {"disk", {"encrypted"}, 5 * kMinute, true, probe_disk},
        {"disk", {"swap-encrypted"}, 5 * kMinute, false, probe_swap},
        {"network", {"firewall"}, kMinute, false, probe_firewall},
        {"updates", {"security"}, kHour, false, probe_security_updates},
        {"updates", {"rebooted"}, kMinute, false, probe_rebooted},
        {"time", {"synchronised"}, kMinute, false, probe_clock},
        {"sandbox",
         {"landlock", "seccomp", "user-namespaces", "cgroup-kill", "memfd-noexec"},
         kHour,
         false,
         probe_sandbox},
        {"sandbox", {"self-test"}, kHour, false, probe_self_test},
    };
    return kProbes;
}

}  // namespace reeve::platform::posture
