// What only system calls tell: the state of the clock, the chains of nf_tables.
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>

#include <cstring>
#include <ctime>

#include "platform/posture.hpp"

namespace reeve::platform::posture {
namespace {

constexpr std::size_t kMostDump = 4 * 1024 * 1024;  // bytes
constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};

// The errno inside an answer that is an error, 0 if it is none. "Done" carries one too.
int error_in(const char* bytes, std::size_t length) {
    nlmsghdr head{};
    int code = 0;
    if (length < NLMSG_HDRLEN + sizeof code) return 0;
    std::memcpy(&head, bytes, sizeof head);
    if (head.nlmsg_type != NLMSG_ERROR && head.nlmsg_type != NLMSG_DONE) return 0;
    std::memcpy(&code, bytes + NLMSG_HDRLEN, sizeof code);
    return -code;
}

// True when the last message of a datagram ends the dump.
bool is_last(const char* bytes, std::size_t length) {
    nlmsghdr head{};
    for (std::size_t at = 0; at + sizeof head <= length; at += NLMSG_ALIGN(head.nlmsg_len)) {
        std::memcpy(&head, bytes + at, sizeof head);
        if (head.nlmsg_type == NLMSG_DONE) return true;
        if (head.nlmsg_len < sizeof head) return true;  // the parser will say so
    }
    return false;
}

Status ask_for_chains(int socket) {
    struct {
        nlmsghdr head;
        nfgenmsg body;
    } request{};
    static_assert(sizeof request == NLMSG_LENGTH(sizeof(nfgenmsg)));
    request.head.nlmsg_len = sizeof request;
    request.head.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETCHAIN;
    request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    if (::sendto(socket, &request, sizeof request, 0, reinterpret_cast<const sockaddr*>(&kernel),
                 sizeof kernel) < 0)
        return os_error("ask nf_tables", "");
    return {};
}

}  // namespace

Result<Kernel::ClockStatus> LinuxKernel::clock_status() const {
    timex query{};  // modes 0: only read
    const int state = ::adjtimex(&query);
    if (state < 0) return os_error("ask for the state of the clock", "");
    return ClockStatus{.state = state, .status = static_cast<unsigned>(query.status)};
}

Result<std::string> LinuxKernel::nft_chains() const {
    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!socket && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT))
        return os_error("ask nf_tables", "", ENOTSUP);
    if (!socket) return os_error("ask nf_tables", "");
    if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) != 0)
        return os_error("ask nf_tables", "");
    if (const auto asked = ask_for_chains(socket.get()); !asked) return std::unexpected(asked.error());

    std::string dump, buffer(64 * 1024, '\0');  // larger than any one answer of nfnetlink
    for (;;) {
        sockaddr_nl sender{};
        socklen_t size = sizeof sender;
        const auto got = ::recvfrom(socket.get(), buffer.data(), buffer.size(), MSG_TRUNC,
                                    reinterpret_cast<sockaddr*>(&sender), &size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_error("ask nf_tables", "", errno == EAGAIN ? ETIMEDOUT : errno);
        if (sender.nl_pid != 0) continue;  // only the kernel is believed
        const auto length = static_cast<std::size_t>(got);
        if (length > buffer.size()) return os_error("ask nf_tables", "", EFBIG);
        // EINVAL, EOPNOTSUPP: the kernel has no nf_tables, and no module of it either.
        if (const int code = error_in(buffer.data(), length); code != 0)
            return os_error("ask nf_tables", "", code == EINVAL || code == EOPNOTSUPP ? ENOTSUP : code);
        dump.append(buffer, 0, length);
        if (dump.size() > kMostDump) return os_error("ask nf_tables", "", EFBIG);
        if (is_last(buffer.data(), length)) return dump;
    }
}

Result<confine::Support> LinuxKernel::support() const {
    return support_();
}

std::int64_t LinuxKernel::wall_seconds() const {
    return std::time(nullptr);
}

}  // namespace reeve::platform::posture
