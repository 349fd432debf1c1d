#include "platform/linux/network/sockets.hpp"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <atomic>
#include <cstring>

namespace reeve::platform::network {
namespace {

// Also finds those that are bound to lo (SO_BINDTODEVICE); its index is 1 in every namespace.
constexpr std::uint32_t kLoopback = 1;

struct Question {
    nlmsghdr head{};
    inet_diag_req_v2 request{};
};
struct Answer {
    nlmsghdr head{};
    union {
        nlmsgerr error;
        inet_diag_msg socket;
    };
    char more[1024];  // attributes that nobody asked for, or the question again
    Answer() : error{}, more{} {}
};

bool put(const sockaddr_storage& address, __be16& port, __be32 (&to)[4]) {
    if (address.ss_family == AF_INET) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(address);
        port = four.sin_port;
        std::memcpy(to, &four.sin_addr, sizeof four.sin_addr);
        return true;
    }
    const auto& six = reinterpret_cast<const sockaddr_in6&>(address);
    port = six.sin6_port;
    std::memcpy(to, &six.sin6_addr, sizeof six.sin6_addr);
    return address.ss_family == AF_INET6;
}

bool put(Question& question, const sockaddr_storage& client, const sockaddr_storage& destination) {
    static std::atomic<std::uint32_t> number{0};
    question.head.nlmsg_len = sizeof question;
    question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    question.head.nlmsg_flags = NLM_F_REQUEST;
    question.head.nlmsg_seq = ++number;
    question.request.sdiag_family = static_cast<std::uint8_t>(client.ss_family);
    question.request.sdiag_protocol = IPPROTO_TCP;
    inet_diag_sockid& id = question.request.id;
    id.idiag_if = kLoopback;
    id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    return client.ss_family == destination.ss_family && put(client, id.idiag_sport, id.idiag_src) &&
           put(destination, id.idiag_dport, id.idiag_dst);
}

// 0, or an errno. The kernel has answered before send() returns.
int ask(int diag, const Question& question, Answer& answer) {
    if (::send(diag, &question, sizeof question, MSG_DONTWAIT) < 0) return errno;
    ssize_t got = 0;
    do {  // past what nobody has read of an earlier one
        got = ::recv(diag, &answer, sizeof answer, MSG_DONTWAIT);
        if (got < 0) return errno;
    } while (static_cast<std::size_t>(got) < sizeof answer.head ||
             answer.head.nlmsg_seq != question.head.nlmsg_seq);
    const auto size = static_cast<std::size_t>(got);
    if (answer.head.nlmsg_type == NLMSG_ERROR && size >= NLMSG_LENGTH(sizeof answer.error))
        return answer.error.error == 0 ? EPROTO : -answer.error.error;
    return size < NLMSG_LENGTH(sizeof answer.socket) ? EPROTO : 0;
}

}  // namespace

Result<std::uint64_t> socket_inode(int diag, const sockaddr_storage& client,
                                   const sockaddr_storage& destination) {
    constexpr const char* kTried = "find whose a connection is";
    Question question;
    Answer answer;
    if (!put(question, client, destination)) return os_error(kTried, "", EAFNOSUPPORT);
    if (const int code = ask(diag, question, answer); code != 0) return os_error(kTried, "", code);
    // Where the connection is gone the kernel gives who listens at its port, if anyone does; and what is left of a
    // closed socket has no inode.
    if (answer.socket.idiag_state == TCP_LISTEN || answer.socket.idiag_inode == 0)
        return os_error(kTried, "", ENOENT);
    return answer.socket.idiag_inode;
}

}  // namespace reeve::platform::network
