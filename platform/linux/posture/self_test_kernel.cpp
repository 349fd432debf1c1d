// The walls around the network, and around parts of the kernel that sessions have no use for.
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include "platform/fd.hpp"
#include "platform/linux/posture/self_test.hpp"

namespace reeve::platform::posture {
namespace {

// What cannot be looked up is none.
template <class Address, class Part>
bool is_on_loopback(sa_family_t family, const Address& address, Part Address::*part) {
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return false;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != family ||
            std::strcmp(one->ifa_name, "lo") != 0)
            continue;
        const auto& own = *reinterpret_cast<const Address*>(one->ifa_addr);
        if (std::memcmp(&(own.*part), &(address.*part), sizeof(Part)) == 0) return true;
    }
    return false;
}

template <class Address>
bool leaves(int family, const Address& to, int& error) {
    const Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Address from{};
    socklen_t size = sizeof from;
    const bool routed = socket &&
                        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
                        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&from), &size) == 0;
    error = routed ? ENETUNREACH : errno;
    if (!routed) return false;
    // Where the way ends here, in sockets of reeved's, the kernel takes an address of lo, or the very one that is called.
    if constexpr (std::is_same_v<Address, sockaddr_in>) {
        const auto own = from.sin_addr.s_addr;
        return own != to.sin_addr.s_addr && (ntohl(own) >> 24) != 127 &&
               !is_on_loopback(AF_INET, from, &Address::sin_addr);
    } else {
        return !IN6_ARE_ADDR_EQUAL(&from.sin6_addr, &to.sin6_addr) &&
               !IN6_IS_ADDR_LOOPBACK(&from.sin6_addr) && !is_on_loopback(AF_INET6, from, &Address::sin6_addr);
    }
}

}  // namespace

// Asks which way packets would take to addresses that are nobody's (RFC 5737, RFC 3849). Connecting a datagram socket sends
// nothing.
void try_network_out(Tries& tries, const Targets&) {
    int error = 0;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(9);
    ::inet_pton(AF_INET, "192.0.2.1", &four.sin_addr);
    const bool by_four = leaves(AF_INET, four, error);
    tries.way("IPv4", by_four, error);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(9);
    ::inet_pton(AF_INET6, "2001:db8::1", &six.sin6_addr);
    const bool by_six = leaves(AF_INET6, six, error);
    tries.way("IPv6", by_six, error);
}

void try_unix_datagram(Tries& tries, const Targets&) {
    tries.call("socket", Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)).get());
    tries.call("raw", Fd(::socket(AF_UNIX, SOCK_RAW | SOCK_CLOEXEC, 0)).get());
    int pair[2] = {-1, -1};
    tries.call("pair", ::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair));
    const Fd one(pair[0]), other(pair[1]);
}

void try_odd_sockets(Tries& tries, const Targets&) {
    constexpr struct {
        const char* name;
        int family, type, protocol;
    } kKinds[] = {{"vsock", AF_VSOCK, SOCK_STREAM, 0},
                  {"packet", AF_PACKET, SOCK_RAW, 0},
                  {"alg", AF_ALG, SOCK_SEQPACKET, 0},
                  {"key", AF_KEY, SOCK_RAW, 2},
                  {"bluetooth", AF_BLUETOOTH, SOCK_RAW, 1},
                  {"can", AF_CAN, SOCK_RAW, 1},
                  {"tipc", AF_TIPC, SOCK_RDM, 0},
                  {"xdp", AF_XDP, SOCK_RAW, 0},
                  {"generic netlink", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC},
                  {"uevents", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT},
                  {"audit", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT},
                  {"socket diagnosis", AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG},
                  {"netfilter", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER},
                  {"sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
                  {"raw", AF_INET, SOCK_RAW, IPPROTO_ICMP},
                  {"raw 6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6}};
    for (const auto& kind : kKinds)
        tries.call(kind.name, Fd(::socket(kind.family, kind.type | SOCK_CLOEXEC, kind.protocol)).get());
}

void try_io_uring(Tries& tries, const Targets&) {
    char parameters[256] = {};  // struct io_uring_params
    tries.past("setup", Fd(static_cast<int>(::syscall(SYS_io_uring_setup, 1, parameters))).get());
    tries.past("enter", ::syscall(SYS_io_uring_enter, -1, 0, 0, 0, nullptr, 0));
    tries.past("register", ::syscall(SYS_io_uring_register, -1, 0, nullptr, 0));
}

void try_bpf(Tries& tries, const Targets&) {
    bpf_attr map{};
    map.map_type = BPF_MAP_TYPE_ARRAY;
    map.key_size = map.value_size = 4;
    map.max_entries = 1;
    tries.call("map", Fd(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map))).get());
    bpf_attr empty{};
    tries.past("load", ::syscall(SYS_bpf, BPF_PROG_LOAD, &empty, sizeof empty));
}

void try_perf(Tries& tries, const Targets&) {
    perf_event_attr event{};
    event.type = PERF_TYPE_SOFTWARE;
    event.size = sizeof event;
    event.config = PERF_COUNT_SW_TASK_CLOCK;
    event.exclude_kernel = event.exclude_hv = 1;
    tries.call("perf_event_open",
               Fd(static_cast<int>(::syscall(SYS_perf_event_open, &event, 0, -1, -1, 0))).get());
}

// The keyring of this process alone, which ends with it.
void try_keyring(Tries& tries, const Targets&) {
    tries.call("add_key",
               ::syscall(SYS_add_key, "user", "reeve-self-test", "x", 1L, KEY_SPEC_PROCESS_KEYRING));
    tries.call("keyctl", ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
}

void try_userfaultfd(Tries& tries, const Targets&) {
    constexpr int kUserModeOnly = 1;  // what the kernel lets anybody have
    tries.call("userfaultfd",
               Fd(static_cast<int>(::syscall(SYS_userfaultfd, kUserModeOnly | O_CLOEXEC))).get());
}

// On a descriptor that is no terminal, so that nothing is typed anywhere: what is asked is whether the filter stands before
// the driver. Also with bits that the kernel does not look at (CVE-2023-1523).
void try_tty_injection(Tries& tries, const Targets&) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) return tries.untried("there is no /dev/null");
    constexpr long kHigh = 1L << 32;
    char letter = 'x', paste = 3;
    tries.past("TIOCSTI", ::syscall(SYS_ioctl, null.get(), static_cast<long>(TIOCSTI), &letter));
    tries.past("TIOCSTI with high bits", ::syscall(SYS_ioctl, null.get(), TIOCSTI | kHigh, &letter));
    tries.past("TIOCLINUX", ::syscall(SYS_ioctl, null.get(), static_cast<long>(TIOCLINUX), &paste));
    tries.past("TIOCLINUX with high bits", ::syscall(SYS_ioctl, null.get(), TIOCLINUX | kHigh, &paste));
}

}  // namespace reeve::platform::posture
