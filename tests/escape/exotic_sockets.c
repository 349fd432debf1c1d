// Makes sockets of families and protocols that the session's network is not about.
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/escape/attack.h"

int main(void) {
    const struct {
        const char* name;
        int family, type, protocol;
    } kinds[] = {{"vsock", AF_VSOCK, SOCK_STREAM, 0},
                 {"packet", AF_PACKET, SOCK_RAW, 0},
                 {"alg", AF_ALG, SOCK_SEQPACKET, 0},
                 {"key", AF_KEY, SOCK_RAW, 2},
                 {"bluetooth", AF_BLUETOOTH, SOCK_RAW, 1},
                 {"can", AF_CAN, SOCK_RAW, 1},
                 {"tipc", AF_TIPC, SOCK_RDM, 0},
                 {"xdp", AF_XDP, SOCK_RAW, 0},
                 {"netlink generic", AF_NETLINK, SOCK_RAW, NETLINK_GENERIC},
                 {"netlink uevent", AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT},
                 {"netlink audit", AF_NETLINK, SOCK_RAW, NETLINK_AUDIT},
                 {"netlink diag", AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG},
                 {"netlink netfilter", AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER},
                 {"multipath tcp", AF_INET, SOCK_STREAM, 262},
                 {"sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP},
                 {"sctp of another type", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP},
                 {"raw", AF_INET, SOCK_RAW, IPPROTO_ICMP},
                 {"raw 6", AF_INET6, SOCK_RAW, IPPROTO_ICMPV6},
                 {"ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP},
                 {"udp lite", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
        call(kinds[i].name, socket(kinds[i].family, kinds[i].type, kinds[i].protocol));
    }
    return done();
}
