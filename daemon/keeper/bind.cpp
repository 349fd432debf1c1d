// bind of a unix socket to a path: it makes a name.
//
// What the caller then reads back (getsockname, and its peers' getpeername) is the name without its directories where
// the keeper did it: the kernel keeps the bytes that bind() was given, and those must not be resolved a second time.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

using platform::Fd;

constexpr unsigned kPidfdThread =
    O_EXCL;  // PIDFD_THREAD, Linux 6.9: of a thread, which may have its own descriptors

Or<Fd> socket_of(Work& work, int number) {
    const auto caller = work.request.caller();
    if (!caller) return std::unexpected(caller.error());
    Fd process(static_cast<int>(::syscall(SYS_pidfd_open, (*caller)->tid(), kPidfdThread)));
    if (!process) process.reset(static_cast<int>(::syscall(SYS_pidfd_open, (*caller)->process(), 0)));
    if (!process) return std::unexpected(errno);
    Fd fd(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!fd) return std::unexpected(errno);
    if (!work.request.listener().valid(work.request.call().id)) return std::unexpected(ESRCH);
    return fd;
}

// By way of this thread's own working directory (unshare(CLONE_FS)), because an address has only 108 bytes.
int bind_in(const Fd& socket, const Name& name) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.raw.size() > sizeof address.sun_path) return ENAMETOOLONG;
    std::memcpy(address.sun_path, name.raw.data(), name.raw.size());
    const std::size_t length =
        std::min(name.raw.size() + 1, sizeof address.sun_path);  // of 108 bytes there is no NUL
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    if (::fchdir(name.directory) != 0) return errno;
    const int code = code_of(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size));
    if (::chdir("/") != 0) return errno;
    return code;
}

Answer bind_path(Work& work, const std::string& path) {
    const auto name = work.resolve.name(AT_FDCWD, path);
    if (!name) return Answer::fail(name.error());
    if (name->special()) return Answer::fail(EADDRINUSE);
    const auto answer = change_name(work, *name, {policy::FileAction::create}, {}, [&] {
        const auto socket = socket_of(work, work.request.number(0));
        if (!socket) return socket.error();
        if (const int code = work.take_umask(); code != 0) return code;
        return bind_in(*socket, *name);
    });
    return answer;
}

}  // namespace

Answer do_bind(Work& work) {
    sockaddr_un address{};
    const auto size = static_cast<std::size_t>(work.request.number(2));
    constexpr std::size_t kPath = offsetof(sockaddr_un, sun_path);
    // Other families, names in no directory, and what the kernel refuses. That the memory may change is no way out:
    // the session's Landlock domain lets no socket be made where policy decides.
    if (size <= kPath || size > sizeof address) return Answer::proceed();
    if (work.request.memory(work.request.word(1), &address, size) != 0) return Answer::proceed();
    if (address.sun_family != AF_UNIX || address.sun_path[0] == 0) return Answer::proceed();
    return bind_path(work, std::string(address.sun_path, ::strnlen(address.sun_path, size - kPath)));
}

}  // namespace reeve::keeper
