#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/memfd.hpp"

// Apart from syscalls.cpp, so that reeve-confine needs no libseccomp.
namespace reeve::platform::confine {
namespace {

Status load(std::string& bytes, std::size_t from, std::size_t size) {
    sock_fprog program{};
    program.len = static_cast<unsigned short>(size / sizeof(sock_filter));
    program.filter = reinterpret_cast<sock_filter*>(bytes.data() + from);
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return os_error("load the system call filter", "", errno,
                        "see that the kernel has CONFIG_SECCOMP_FILTER");
    return {};
}

}  // namespace

Status load_filter(int memfd) {
    auto bytes = read_memfd(memfd, true);
    if (!bytes) return std::unexpected(bytes.error());
    std::uint64_t first = 0;
    if (bytes->size() >= sizeof first) std::memcpy(&first, bytes->data(), sizeof first);
    if (first == 0 || bytes->size() <= sizeof first + first)
        return error("load the system call filter", "", "it is not what compile_filter() makes");
    // The second part first: the first one, which the kernel runs before older ones, answers most calls from
    // its cache.
    const std::size_t second = sizeof first + first;
    if (auto s = load(*bytes, second, bytes->size() - second); !s) return s;
    return load(*bytes, sizeof first, first);
}

}  // namespace reeve::platform::confine
