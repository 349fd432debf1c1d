#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>

#include "platform/confine.hpp"
#include "platform/linux/confine/landlock.hpp"

namespace reeve::platform::confine {
namespace {

// A number of /proc/sys, or `missing`.
long setting(const char* path, long missing) {
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return missing;
    long value = missing;
    if (std::fscanf(file, "%ld", &value) != 1) value = missing;
    std::fclose(file);
    return value;
}

// A cgroup shows cgroup.kill only below the root, so that looking for the file would need one.
bool kernel_is_at_least(int major, int minor) {
    utsname name{};
    int has_major = 0, has_minor = 0;
    if (::uname(&name) != 0 || std::sscanf(name.release, "%d.%d", &has_major, &has_minor) != 2) return false;
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
