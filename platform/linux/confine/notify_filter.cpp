#include "platform/linux/confine/notify_filter.hpp"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/memfd.hpp"

// Apart from notify_compile.cpp, so that reeve-confine needs no libseccomp.
namespace reeve::platform::confine {

Result<Fd> load_notify_filter(int memfd, bool trap_reads) {
    auto bytes = read_memfd(memfd, true);
    if (!bytes) return std::unexpected(bytes.error());
    std::uint64_t first = 0;
    if (bytes->size() >= sizeof first) std::memcpy(&first, bytes->data(), sizeof first);
    if (first == 0 || bytes->size() <= sizeof first + first)
        return error("load the keeper's filter", "", "it is not what compile_notify_filter() makes");
    const std::size_t from = trap_reads ? sizeof first + first : sizeof first;
    const std::size_t size = trap_reads ? bytes->size() - from : first;
    sock_fprog program{};
    program.len = static_cast<unsigned short>(size / sizeof(sock_filter));
    program.filter = reinterpret_cast<sock_filter*>(bytes->data() + from);
    constexpr unsigned kFlags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    Fd listener(static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, kFlags, &program)));
    if (!listener)
        return os_error("load the keeper's filter", "", errno, "see that the kernel is Linux 5.19 or newer");
    return listener;
}

}  // namespace reeve::platform::confine
