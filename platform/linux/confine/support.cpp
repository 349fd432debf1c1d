#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "platform/confine.hpp"
#include "platform/linux/landlock.hpp"

namespace reeve::platform::confine {
namespace {

// A number of /proc/sys, or `missing`.
long setting(const char* path, long missing) {
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return missing;
    char text[32] = {};
    const std::size_t size = std::fread(text, 1, sizeof text, file);
    std::fclose(file);
    long value = missing;
    std::from_chars(text, text + size, value);  // leaves it alone where there is no number that fits
    return value;
}

// A cgroup shows cgroup.kill only below the root, so that looking for the file would need one.
bool kernel_is_at_least(int major, int minor) {
    utsname name{};
    if (::uname(&name) != 0) return false;
    const char* const end = name.release + std::strlen(name.release);
    int has_major = 0, has_minor = 0;
    const auto [dot, bad_major] = std::from_chars(name.release, end, has_major);
    if (bad_major != std::errc() || dot == end || *dot != '.') return false;
    if (std::from_chars(dot + 1, end, has_minor).ec != std::errc()) return false;
    return has_major > major || (has_major == major && has_minor >= minor);
}

// Without a filter the answer is EFAULT where the flags are known, and EINVAL where they are not.
bool has_notify() {
    constexpr unsigned kNewListener = 1U << 3, kWaitKillableRecv = 1U << 5;  // linux/seccomp.h
    return ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kNewListener | kWaitKillableRecv, nullptr) != 0 &&
           errno == EFAULT;
}

}  // namespace

Support probe_support() {
    Support support;
    support.landlock_abi = landlock::abi();
    support.cgroup_kill = kernel_is_at_least(5, 14);
    support.memfd_noexec = ::access("/proc/sys/vm/memfd_noexec", F_OK) == 0;
    support.user_namespaces = setting("/proc/sys/user/max_user_namespaces", 0) > 0;
    support.notify = has_notify();
    support.ptrace_refused = setting("/proc/sys/kernel/yama/ptrace_scope", 0) == 3;
    support.fuse = static_cast<bool>(Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC)));
    return support;
}

}  // namespace reeve::platform::confine
