#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/memfd.hpp"

// Apart from syscalls.cpp, so that reeve-confine needs no libseccomp.
namespace reeve::platform::confine {
namespace {

// Both parts as one program: where the first one allows, the second one goes on. It answers as the two would as filters
// of their own, of which the kernel takes the stricter answer, and is checked and compiled by it once. Empty where the
// bytes are not what compile_filter() makes.
std::vector<sock_filter> joined(const std::string& bytes) {
    std::uint64_t first = 0;
    if (bytes.size() >= sizeof first) std::memcpy(&first, bytes.data(), sizeof first);
    if (first == 0 || bytes.size() - sizeof first <= first) return {};
    std::vector<sock_filter> program((bytes.size() - sizeof first) / sizeof(sock_filter));
    std::memcpy(program.data(), bytes.data() + sizeof first, program.size() * sizeof(sock_filter));
    const auto second = static_cast<std::uint32_t>(first / sizeof(sock_filter));
    for (std::uint32_t at = 0; at < second; ++at)
        if (program[at].code == (BPF_RET | BPF_K) && program[at].k == SECCOMP_RET_ALLOW)
            program[at] = {.code = BPF_JMP | BPF_JA, .jt = 0, .jf = 0, .k = second - at - 1};
    return program;
}

}  // namespace

Status load_filter(int memfd) {
    auto bytes = read_memfd(memfd, true);
    if (!bytes) return std::unexpected(bytes.error());
    std::vector<sock_filter> instructions = joined(*bytes);
    if (instructions.empty() || instructions.size() > BPF_MAXINSNS)
        return error("load the system call filter", "", "it is not what compile_filter() makes");
    const sock_fprog program{static_cast<unsigned short>(instructions.size()), instructions.data()};
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
        return os_error("load the system call filter", "", errno,
                        "see that the kernel has CONFIG_SECCOMP_FILTER");
    return {};
}

}  // namespace reeve::platform::confine
