// A session's network with its doors, in a real network namespace for each test. What the doors do is the kernel's: so
// are these.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "platform/linux/network/doors.hpp"
#include "platform/linux/network/sockets.hpp"

namespace reeve::platform::network {
namespace {

constexpr int kPatience = 10'000;  // ms, for what comes at once

// "1.2.3.4", "2001:db8::1" or "::ffff:1.2.3.4", and a port.
sockaddr_storage address(const std::string& text, int port) {
    sockaddr_storage out{};
    if (text.find(':') == std::string::npos) {
        auto& four = reinterpret_cast<sockaddr_in&>(out);
        four.sin_family = AF_INET;
        four.sin_port = htons(static_cast<std::uint16_t>(port));
        EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &four.sin_addr), 1) << text;
    } else {
        auto& six = reinterpret_cast<sockaddr_in6&>(out);
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(static_cast<std::uint16_t>(port));
        EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &six.sin6_addr), 1) << text;
    }
    return out;
}

socklen_t size_of(const sockaddr_storage& of) {
    return of.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
}

std::string text(const sockaddr_storage& of) {
    char buffer[INET6_ADDRSTRLEN] = {};
    const auto& four = reinterpret_cast<const sockaddr_in&>(of);
    const auto& six = reinterpret_cast<const sockaddr_in6&>(of);
    const void* bytes = of.ss_family == AF_INET ? static_cast<const void*>(&four.sin_addr) : &six.sin6_addr;
    ::inet_ntop(of.ss_family, bytes, buffer, sizeof buffer);
    return std::string(buffer) + " " + std::to_string(ntohs(four.sin_port));
}

template <int (*Get)(int, sockaddr*, socklen_t*)>
sockaddr_storage name(const Fd& socket) {
    sockaddr_storage out{};
    socklen_t size = sizeof out;
    EXPECT_EQ(Get(socket.get(), reinterpret_cast<sockaddr*>(&out), &size), 0) << std::strerror(errno);
    return out;
}
sockaddr_storage own(const Fd& socket) {
    return name<::getsockname>(socket);
}

Fd make(int family, int type, int protocol = 0) {
    Fd socket(::socket(family, type | SOCK_CLOEXEC, protocol));
    EXPECT_TRUE(socket) << std::strerror(errno);
    return socket;
}

int connect_to(const Fd& socket, const sockaddr_storage& to) {
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), size_of(to)) == 0 ? 0 : errno;
}
int send_to(const Fd& socket, const sockaddr_storage& to, int flags = 0) {
    const char question[8] = {8, 0, '?'};
    const auto* where = reinterpret_cast<const sockaddr*>(&to);
    return ::sendto(socket.get(), question, sizeof question, flags, where, size_of(to)) < 0 ? errno : 0;
}

bool readable(const Fd& fd) {
    pollfd one{fd.get(), POLLIN, 0};
    return ::poll(&one, 1, kPatience) == 1;
}

Fd take(const Fd& door, sockaddr_storage* client = nullptr) {
    EXPECT_TRUE(readable(door));
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    Fd taken(::accept4(door.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
    EXPECT_TRUE(taken) << std::strerror(errno);
    if (client != nullptr) *client = peer;
    return taken;
}

sockaddr_storage asked_for(const Fd& taken) {
    sockaddr_storage out{};
    socklen_t size = sizeof out;
    const bool four = own(taken).ss_family == AF_INET;
    static_assert(SO_ORIGINAL_DST == IP6T_SO_ORIGINAL_DST);
    EXPECT_EQ(::getsockopt(taken.get(), four ? SOL_IP : SOL_IPV6, SO_ORIGINAL_DST, &out, &size), 0)
        << std::strerror(errno);
    return out;
}

std::uint64_t inode_of(const Fd& socket) {
    struct stat status {};
    EXPECT_EQ(::fstat(socket.get(), &status), 0);
    return status.st_ino;
}

class Network : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root: a network namespace";
        ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno);
        build();
    }
    void build() {
        auto built = build_doors();
        ASSERT_TRUE(built) << built.error().text();
        doors = std::move(*built);
    }
    // The namespace of the test before it goes with its last descriptor.
    void anew() { ASSERT_EQ(::unshare(CLONE_NEWNET), 0) << std::strerror(errno); }
    Doors doors;
};

struct Case {
    const char* address;
    int port;
    Door door;
    const char* seen = nullptr;  // by the door, where it is another text
};

TEST_F(Network, EveryConnectionEndsInTheDoorWhichKnowsItsDestination) {
    for (const Case& one : {Case{"93.184.216.34", 443, Door::tcp4}, Case{"10.0.0.1", 22, Door::tcp4},
                            Case{"169.254.169.254", 80, Door::tcp4}, Case{"198.18.0.77", 65535, Door::tcp4},
                            Case{"198.18.0.1", 1, Door::tcp4}, Case{"240.0.0.1", 80, Door::tcp4},
                            Case{"::ffff:93.184.216.34", 443, Door::tcp4, "93.184.216.34"},
                            Case{"2001:db8::5", 443, Door::tcp6}, Case{"fd72:6565:7665::77", 80, Door::tcp6},
                            Case{"64:ff9b::a00:1", 80, Door::tcp6}, Case{"::2", 80, Door::tcp6}}) {
        const auto to = address(one.address, one.port);
        const Fd client = make(to.ss_family, SOCK_STREAM);
        ASSERT_EQ(connect_to(client, to), 0) << one.address;
        const Fd taken = take(doors[one.door]);
        const auto seen = one.seen != nullptr ? address(one.seen, one.port) : to;
        EXPECT_EQ(text(asked_for(taken)), text(seen)) << one.address;
        EXPECT_EQ(text(name<::getpeername>(client)), text(to)) << one.address;
        ASSERT_EQ(::send(taken.get(), "hello", 5, 0), 5);
        char buffer[8];
        EXPECT_EQ(::recv(client.get(), buffer, sizeof buffer, 0), 5);
    }
}

TEST_F(Network, ItsOwnAddressIsTheFirstOfTheSyntheticOnes) {
    for (const auto& [far, near] :
         {std::pair{"93.184.216.34", "198.18.0.1"}, {"2001:db8::5", "fd72:6565:7665::1"}}) {
        const auto to = address(far, 443);
        const Fd client = make(to.ss_family, SOCK_DGRAM);  // what getaddrinfo() sorts by
        ASSERT_EQ(connect_to(client, to), 0);
        EXPECT_EQ(text(own(client)).substr(0, std::strlen(near) + 1), std::string(near) + " ");
    }
}

TEST_F(Network, LookupsEndInTheDnsDoorsWhoseAnswersComeFromWhereTheyWereSentTo) {
    for (const Case& one :
         {Case{"8.8.8.8", 53, Door::dns_udp4}, Case{"127.0.0.53", 53, Door::dns_udp4},
          Case{"127.0.0.1", 53, Door::dns_udp4}, Case{"198.18.0.1", 53, Door::dns_udp4},
          Case{"192.168.1.1", 53, Door::dns_udp4}, Case{"::ffff:8.8.8.8", 53, Door::dns_udp4},
          Case{"2001:4860:4860::8888", 53, Door::dns_udp6}, Case{"::1", 53, Door::dns_udp6}}) {
        const auto to = address(one.address, one.port);
        const Fd client = make(to.ss_family, SOCK_DGRAM);
        ASSERT_EQ(send_to(client, to), 0) << one.address;
        ASSERT_TRUE(readable(doors[one.door])) << one.address;
        char buffer[64];
        sockaddr_storage from{};
        socklen_t size = sizeof from;
        ASSERT_EQ(::recvfrom(doors[one.door].get(), buffer, sizeof buffer, 0,
                             reinterpret_cast<sockaddr*>(&from), &size),
                  8);
        ASSERT_EQ(send_to(doors[one.door], from), 0);
        ASSERT_TRUE(readable(client)) << one.address;
        size = sizeof from;
        ASSERT_EQ(
            ::recvfrom(client.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size), 8);
        EXPECT_EQ(text(from), text(to));
    }
}

TEST_F(Network, LookupsByTcpEndInTheirOwnDoors) {
    for (const Case& one :
         {Case{"8.8.8.8", 53, Door::dns_tcp4}, Case{"127.0.0.53", 53, Door::dns_tcp4},
          Case{"2001:4860:4860::8888", 53, Door::dns_tcp6}, Case{"::1", 53, Door::dns_tcp6}}) {
        const auto to = address(one.address, one.port);
        const Fd client = make(to.ss_family, SOCK_STREAM);
        ASSERT_EQ(connect_to(client, to), 0) << one.address;
        EXPECT_EQ(text(asked_for(take(doors[one.door]))), text(to));
    }
}

TEST_F(Network, OtherDatagramsAreAnErrorAtOnce) {
    for (const auto& to :
         {address("8.8.8.8", 443), address("8.8.8.8", 5353), address("198.18.0.1", 443),
          address("10.0.0.1", 54), address("224.0.0.251", 5353), address("255.255.255.255", 67),
          address("::ffff:8.8.8.8", 443), address("2001:db8::1", 443), address("ff02::fb", 5353),
          address("fd72:6565:7665::1", 123)}) {
        const Fd client = make(to.ss_family, SOCK_DGRAM);
        const int yes = 1, lo = 1;
        ::setsockopt(client.get(), SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
        ::setsockopt(client.get(), SOL_IPV6, IPV6_MULTICAST_IF, &lo, sizeof lo);
        EXPECT_EQ(send_to(client, to), EPERM) << text(to);
        ASSERT_EQ(connect_to(client, to), 0) << text(to);
        EXPECT_EQ(::send(client.get(), "x", 1, 0) < 0 ? errno : 0, EPERM) << text(to);
    }
}

// A session can make no such socket (platform/linux/confine/syscalls.hpp); this is the wall behind that one.
TEST_F(Network, NoOtherProtocolIsSent) {
    for (const int protocol :
         {IPPROTO_ICMP, IPPROTO_SCTP, IPPROTO_UDPLITE, IPPROTO_DCCP, IPPROTO_GRE, IPPROTO_ESP})
        EXPECT_EQ(send_to(make(AF_INET, SOCK_RAW, protocol), address("8.8.8.8", 0)), EPERM) << protocol;
    for (const int protocol :
         {int{IPPROTO_ICMPV6}, int{IPPROTO_SCTP}, int{IPPROTO_UDPLITE}, int{IPPROTO_GRE}})
        EXPECT_EQ(send_to(make(AF_INET6, SOCK_RAW, protocol), address("2001:db8::1", 0)), EPERM) << protocol;
}

TEST_F(Network, ServersOfItsOwnAreReachedByLoopback) {
    for (const char* host : {"127.0.0.1", "127.7.7.7", "::1"}) {
        const auto at = address(host, 0);
        const Fd server = make(at.ss_family, SOCK_STREAM), datagrams = make(at.ss_family, SOCK_DGRAM);
        for (const Fd* one : {&server, &datagrams})
            ASSERT_EQ(::bind(one->get(), reinterpret_cast<const sockaddr*>(&at), size_of(at)), 0);
        ASSERT_EQ(::listen(server.get(), 1), 0);
        const Fd client = make(at.ss_family, SOCK_STREAM), sender = make(at.ss_family, SOCK_DGRAM);
        EXPECT_EQ(connect_to(client, own(server)), 0) << host;
        EXPECT_EQ(text(asked_for(take(server))), text(own(server)));
        EXPECT_EQ(send_to(sender, own(datagrams)), 0) << host;
        EXPECT_TRUE(readable(datagrams));
    }
    EXPECT_EQ(connect_to(make(AF_INET, SOCK_STREAM), address("127.0.0.1", 1)), ECONNREFUSED);
}

TEST_F(Network, WhoConnectsToADoorItselfIsFoundOut) {
    for (const Door door : {Door::tcp4, Door::tcp6, Door::dns_tcp4, Door::dns_tcp6}) {
        const auto at = own(doors[door]);
        const Fd client = make(at.ss_family, SOCK_STREAM);
        ASSERT_EQ(connect_to(client, at), 0);
        EXPECT_EQ(text(asked_for(take(doors[door]))), text(at));
    }
}

TEST_F(Network, NobodyElseCanBindADoorsPort) {
    for (const Door door :
         {Door::tcp4, Door::tcp6, Door::dns_udp4, Door::dns_udp6, Door::dns_tcp4, Door::dns_tcp6}) {
        const auto at = own(doors[door]);
        int type = 0, yes = 1;
        socklen_t size = sizeof type;
        ASSERT_EQ(::getsockopt(doors[door].get(), SOL_SOCKET, SO_TYPE, &type, &size), 0);
        const Fd thief = make(at.ss_family, type);
        ASSERT_EQ(::setsockopt(thief.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
        ASSERT_EQ(::setsockopt(thief.get(), SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes), 0);
        EXPECT_EQ(::bind(thief.get(), reinterpret_cast<const sockaddr*>(&at), size_of(at)), -1);
        EXPECT_EQ(errno, EADDRINUSE);
    }
}

TEST_F(Network, NobodyConnectsWithoutConnect) {
    for (const auto& to : {address("93.184.216.34", 443), address("2001:db8::5", 443)}) {
        EXPECT_EQ(send_to(make(to.ss_family, SOCK_STREAM), to, MSG_FASTOPEN | MSG_NOSIGNAL), EOPNOTSUPP);
        EXPECT_NE(send_to(make(to.ss_family, SOCK_STREAM), to, MSG_NOSIGNAL), 0);
    }
}

TEST_F(Network, ADoorThatIsClosedRefusesAtOnce) {
    doors = Doors();
    for (const char* host : {"93.184.216.34", "2001:db8::5"}) {
        const auto to = address(host, 443);
        EXPECT_EQ(connect_to(make(to.ss_family, SOCK_STREAM), to), ECONNREFUSED);
        const auto dns = address(host, 53);
        const Fd client = make(dns.ss_family, SOCK_DGRAM);
        ASSERT_EQ(connect_to(client, dns), 0);
        ASSERT_EQ(::send(client.get(), "x", 1, 0), 1);
        EXPECT_TRUE(readable(client));
        char buffer[8];
        EXPECT_EQ(::recv(client.get(), buffer, sizeof buffer, 0), -1);
        EXPECT_EQ(errno, ECONNREFUSED);
    }
}

TEST_F(Network, TheSocketBehindAConnectionIsFound) {
    for (const Case& one : {Case{"93.184.216.34", 443, Door::tcp4}, Case{"2001:db8::5", 443, Door::tcp6},
                            Case{"::ffff:93.184.216.34", 443, Door::tcp4}}) {
        const auto to = address(one.address, one.port);
        for (const bool to_device : {false, true}) {
            const Fd client = make(to.ss_family, SOCK_STREAM);
            if (to_device) ::setsockopt(client.get(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
            ASSERT_EQ(connect_to(client, to), 0);
            sockaddr_storage from{};
            const Fd taken = take(doors[one.door], &from);
            auto found = socket_inode(doors[Door::diag].get(), from, asked_for(taken));
            ASSERT_TRUE(found) << found.error().text();
            EXPECT_EQ(*found, inode_of(client)) << one.address;
        }
    }
}

TEST_F(Network, NoOtherSocketIsFoundForOneThatIsClosed) {
    const int yes = 1;
    Fd client = make(AF_INET, SOCK_STREAM);
    ASSERT_EQ(::setsockopt(client.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
    ASSERT_EQ(connect_to(client, address("93.184.216.34", 443)), 0);
    const auto at = own(client);
    sockaddr_storage from{};
    Fd taken = take(doors[Door::tcp4], &from);
    const auto asked = asked_for(taken);
    client.reset();
    auto found = socket_inode(doors[Door::diag].get(), from, asked);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ENOENT);
    // With the connection gone for good, another process listens where it came from.
    const linger now{1, 0};
    ASSERT_EQ(::setsockopt(taken.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now), 0);
    taken.reset();
    const Fd other = make(AF_INET, SOCK_STREAM);
    ASSERT_EQ(::setsockopt(other.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
    ASSERT_EQ(::bind(other.get(), reinterpret_cast<const sockaddr*>(&at), size_of(at)), 0)
        << std::strerror(errno);
    ASSERT_EQ(::listen(other.get(), 1), 0);
    found = socket_inode(doors[Door::diag].get(), from, asked);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, ENOENT);
}

TEST_F(Network, WithoutIpv6ItsDoorsAreMissingAndTheOthersWork) {
    anew();
    std::ofstream("/proc/sys/net/ipv6/conf/all/disable_ipv6") << 1;
    build();
    for (const Door door : {Door::tcp6, Door::dns_udp6, Door::dns_tcp6}) EXPECT_FALSE(doors[door]);
    const auto to = address("93.184.216.34", 443);
    const Fd client = make(AF_INET, SOCK_STREAM);
    ASSERT_EQ(connect_to(client, to), 0);
    EXPECT_EQ(text(asked_for(take(doors[Door::tcp4]))), text(to));
    EXPECT_NE(connect_to(make(AF_INET6, SOCK_STREAM), address("2001:db8::5", 443)), 0);
    EXPECT_NE(send_to(make(AF_INET6, SOCK_DGRAM), address("2001:db8::5", 53)), 0);
}

TEST_F(Network, ADoorIsClosedOnExecAndDoesNotBlock) {
    for (const Fd& door : doors.fds) {
        ASSERT_TRUE(door);
        EXPECT_TRUE(::fcntl(door.get(), F_GETFD) & FD_CLOEXEC);
        EXPECT_TRUE(::fcntl(door.get(), F_GETFL) & O_NONBLOCK);
    }
}

TEST_F(Network, RulesThatAreThereAlreadyAreAnError) {
    auto again = build_doors();
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().code, 0) << again.error().text();
}

}  // namespace
}  // namespace reeve::platform::network
