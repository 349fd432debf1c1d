#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "platform/confine.hpp"
#include "platform/linux/confine/landlock.hpp"

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

}  // namespace

Support probe_support() {
    Support support;
    support.landlock_abi = landlock_abi();
    support.cgroup_kill = kernel_is_at_least(5, 14);
    support.memfd_noexec = ::access("/proc/sys/vm/memfd_noexec", F_OK) == 0;
    support.user_namespaces = setting("/proc/sys/user/max_user_namespaces", 0) > 0;
    return support;
}

}  // namespace reeve::platform::confine
