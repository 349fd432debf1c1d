#include "platform/linux/network/routes.hpp"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "platform/fd.hpp"
#include "platform/linux/network/doors.hpp"
#include "platform/linux/wire.hpp"

namespace reeve::platform::network {
namespace {

constexpr std::uint32_t kLoopback = 1;  // lo's index, in every namespace (the kernel's LOOPBACK_IFINDEX)

// A request to rtnetlink while it is put together (rtnetlink(7)): a header, the message's own, and attributes.
class Message {
  public:
    template <class Header>
    Message(std::uint16_t type, const Header& header) {
        nlmsghdr head{};
        head.nlmsg_type = type;
        head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        append(wire::bytes_of(head));
        append(wire::bytes_of(header));
    }
    void attribute(std::uint16_t type, std::string_view value) {
        const rtattr head{static_cast<std::uint16_t>(RTA_LENGTH(value.size())), type};
        append(wire::bytes_of(head));
        append(value);
    }
    std::string_view bytes() {
        const auto size = static_cast<std::uint32_t>(bytes_.size());
        std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
        return bytes_;
    }

  private:
    void append(std::string_view value) {
        bytes_ += value;
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
    }
    std::string bytes_;
};

// 0, or the errno that the kernel answers with. It answers before send() returns.
int ask(const Fd& route, Message message) {
    const std::string_view bytes = message.bytes();
    if (::send(route.get(), bytes.data(), bytes.size(), 0) < 0) return errno;
    struct {
        nlmsghdr head;
        nlmsgerr error;
        char more[512];  // the request again
    } answer{};
    const ssize_t got = ::recv(route.get(), &answer, sizeof answer, 0);
    if (got < 0) return errno;
    if (static_cast<std::size_t>(got) < NLMSG_LENGTH(sizeof answer.error) ||
        answer.head.nlmsg_type != NLMSG_ERROR)
        return EPROTO;
    return -answer.error.error;
}

// Host number 1 of the range.
std::string first_address(int family) {
    if (family == AF_INET) {
        const std::uint32_t four = htonl(kFour + 1);
        return std::string(wire::bytes_of(four));
    }
    in6_addr six{};
    std::memcpy(&six, kSix.data(), kSix.size());
    six.s6_addr[15] = 1;
    return std::string(wire::bytes_of(six));
}

Message new_address(int family, std::string_view address) {
    ifaddrmsg header{};
    header.ifa_family = static_cast<std::uint8_t>(family);
    header.ifa_prefixlen = static_cast<std::uint8_t>(address.size() * 8);
    header.ifa_flags =
        family == AF_INET6 ? IFA_F_NODAD : 0;  // else it is tentative, and no route's source, for a moment
    header.ifa_scope = RT_SCOPE_UNIVERSE;      // else programs take the machine for one without a network
    header.ifa_index = kLoopback;
    Message message(RTM_NEWADDR, header);
    message.attribute(IFA_LOCAL, address);
    message.attribute(IFA_ADDRESS, address);
    return message;
}

// `ip route add local default dev lo src ADDRESS`
Message new_route(int family, std::string_view source) {
    rtmsg header{};
    header.rtm_family = static_cast<std::uint8_t>(family);
    header.rtm_table = RT_TABLE_LOCAL;
    header.rtm_protocol = RTPROT_BOOT;
    header.rtm_scope = RT_SCOPE_HOST;
    header.rtm_type = RTN_LOCAL;
    Message message(RTM_NEWROUTE, header);
    message.attribute(RTA_OIF, wire::bytes_of(kLoopback));
    message.attribute(RTA_PREFSRC, source);
    return message;
}

}  // namespace

Status bring_up_loopback() {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return os_error("make a socket in the network namespace", "");
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", sizeof "lo");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return os_error("bring up", "lo");
    return {};
}

Status make_all_local(int family) {
    const char* const name = family == AF_INET ? "IPv4" : "IPv6";
    const Fd route(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!route)
        return os_error("set up the network namespace", name, errno, "see that the kernel has rtnetlink");
    const std::string address = first_address(family);
    if (const int code = ask(route, new_address(family, address)); code != 0)
        return os_error("give an address to lo", name, code);
    if (const int code = ask(route, new_route(family, address)); code != 0)
        return os_error("make every address local", name, code);
    return {};
}

}  // namespace reeve::platform::network
