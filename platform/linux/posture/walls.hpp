// The names of the walls that reeve-self-test tries, shared with the probe that counts them. Names are part
// of the check ids "sandbox.<wall>": add, never rename.
#pragma once

#include <array>
#include <string_view>

namespace reeve::platform::posture {

inline constexpr auto kWalls = std::to_array<std::string_view>({
    "host-secrets",
    "absent-path",
    "read-only-zone",
    "nested-namespace",
    "mount",
    "ptrace",
    "process-memory",
    "proc-root",
    "network-out",
    "unix-datagram",
    "odd-sockets",
    "io-uring",
    "bpf",
    "perf",
    "keyring",
    "userfaultfd",
    "setuid",
    "chroot",
    "tty-injection",
    "memfd-exec",
    "file-handles",
    "signals",
    "capabilities",
    "no-new-privileges",
    "seccomp-filter",
});

}  // namespace reeve::platform::posture
