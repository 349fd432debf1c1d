// connect(): reeve-egress is told which process makes it, and the kernel does it. Nothing is decided, so that it is of no
// use to change the address meanwhile: the connection's process is then not known, or one is told of that makes none.
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

#include "daemon/egress/processes.hpp"
#include "daemon/keeper/calls.hpp"

namespace reeve::keeper {
namespace {

// Whether it may end in a door of the session's (platform/linux/network/doors.hpp): not what stays on its loopback.
bool leads_out(const sockaddr_in6& address, std::size_t size) {
    if (address.sin6_family == AF_INET6)
        return size >= sizeof address && !IN6_IS_ADDR_LOOPBACK(&address.sin6_addr);
    sockaddr_in four{};
    if (address.sin6_family != AF_INET || size < sizeof four) return false;
    std::memcpy(&four, &address, sizeof four);
    return ntohl(four.sin_addr.s_addr) >> 24 != IN_LOOPBACKNET;
}

// "socket:[1234]"; 0: it is none.
std::uint64_t inode_of(const Caller& who, int number) {
    char link[64];
    const std::string name = "fd/" + std::to_string(number);
    const ssize_t length = ::readlinkat(who.proc(), name.c_str(), link, sizeof link);
    constexpr std::string_view kSocket = "socket:[";
    const std::string_view text(link, length < 0 ? 0 : static_cast<std::size_t>(length));
    std::uint64_t inode = 0;
    if (text.starts_with(kSocket)) std::from_chars(text.begin() + kSocket.size(), text.end(), inode);
    return inode;
}

void tell(Work& work) {
    auto exe = work.request.executable();  // first: it finds out a remembered caller that is no more
    const auto who = work.request.caller();
    if (!exe || !who) return;
    const std::uint64_t inode = inode_of(**who, work.request.number(0));
    if (inode == 0) return;
    const egress::Connecting connecting{
        .inode = inode, .pid = (*who)->process(), .start_ns = (*who)->start_ns(), .exe = std::move(*exe)};
    const std::string bytes = connecting.encode();
    (void)::send(work.engine.connections, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace

Answer do_connect(Work& work) {
    if (work.engine.connections < 0) return Answer::proceed();
    sockaddr_in6 address{};
    const auto size = std::min<std::size_t>(work.request.bits(2), sizeof address);
    // Its family costs less to read than the socket's inode and program.
    if (work.request.memory(work.request.word(1), &address, size) == 0 && leads_out(address, size))
        tell(work);
    return Answer::proceed();
}

}  // namespace reeve::keeper
