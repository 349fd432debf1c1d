#include "daemon/egress/dns_stub.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "daemon/egress/dns_tcp.hpp"

namespace reeve::egress {
namespace {

constexpr int kMostATurn = 64;  // datagrams, so that a flood does not keep the loop from all else

}  // namespace

DnsStub::DnsStub(const DnsDoors& doors, Parts parts)
    : loop_(parts.loop),
      doors_(doors),
      reports_(parts.loop, std::move(parts.report)),
      lookups_({.policy = parts.policy,
                .names = parts.names,
                .resolver = parts.resolver,
                .budget = parts.budget,
                .reports = reports_,
                .now_ns = std::move(parts.now_ns),
                .has_six = doors.udp6 >= 0}),
      tcp_(std::make_unique<DnsTcp>(parts.loop, lookups_)) {}

DnsStub::~DnsStub() {
    for (const int door : {doors_.udp4, doors_.udp6})
        if (door >= 0) loop_.forget(door);
}

platform::Result<std::unique_ptr<DnsStub>> DnsStub::create(const DnsDoors& doors, Parts parts) {
    std::unique_ptr<DnsStub> stub(new DnsStub(doors, std::move(parts)));
    for (const int door : {doors.udp4, doors.udp6})
        if (door >= 0)
            if (auto opened = stub->open_udp(door); !opened) return std::unexpected(opened.error());
    for (const int door : {doors.tcp4, doors.tcp6})
        if (door >= 0)
            if (auto opened = stub->tcp_->open(door); !opened) return std::unexpected(opened.error());
    return stub;
}

platform::Status DnsStub::open_udp(int door) {
    return loop_.watch(door, EPOLLIN, [this, door](std::uint32_t) { read_udp(door); });
}

void DnsStub::read_udp(int door) {
    std::array<char, 4096> buffer;  // no query is longer; what is cut off is malformed
    for (int i = 0; i < kMostATurn; ++i) {
        sockaddr_storage from{};
        socklen_t from_size = sizeof from;
        const auto size = ::recvfrom(door, buffer.data(), buffer.size(), MSG_DONTWAIT,
                                     reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size < 0 && errno == EAGAIN) return;
        if (size < 0) continue;
        answer_udp(door, {buffer.data(), static_cast<std::size_t>(size)},
                   {reinterpret_cast<const char*>(&from), from_size});
    }
}

void DnsStub::answer_udp(int door, std::string_view query, const std::string& asker) {
    // An answer that cannot be sent is lost, as UDP's are: the asker asks again.
    const auto send = [door, asker](const std::string& message) {
        (void)::sendto(door, message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                       reinterpret_cast<const sockaddr*>(asker.data()), static_cast<socklen_t>(asker.size()));
    };
    const auto question = parse_dns_query(query);
    if (!question) {
        if (!question.error().empty()) send(question.error());
        return;
    }
    lookups_.answer(*question, [send, question = *question](const DnsAnswer& answer) {
        send(encode_dns_answer(question, answer, udp_limit(question)));
    });
}

}  // namespace reeve::egress
