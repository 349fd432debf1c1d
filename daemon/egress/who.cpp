#include "daemon/egress/who.hpp"

#include <sys/epoll.h>

#include <utility>

#include "platform/linux/seqpacket.hpp"

namespace reeve::egress {

Who::Who(platform::EventLoop& loop, platform::Fd processes, InodeOf inode_of)
    : loop_(loop), processes_(std::move(processes)), inode_of_(std::move(inode_of)) {}

Who::~Who() {
    if (processes_) loop_.forget(processes_.get());
}

platform::Status Who::start() {
    if (!processes_) return {};
    return loop_.watch(processes_.get(), EPOLLIN, [this](std::uint32_t) { take_all(); });
}

// What is said of a connection is there before the connection is.
const Connecting* Who::find(const Ends& ends) {
    take_all();
    if (by_inode_.empty()) return nullptr;
    const auto inode = inode_of_(ends);
    if (!inode) return nullptr;
    const auto found = by_inode_.find(*inode);
    return found == by_inode_.end() ? nullptr : &found->second;
}

bool Who::is_closed(const Ends& ends) const {
    const auto inode = inode_of_(ends);
    return !inode && inode.error().code == ENOENT;
}

void Who::take_all() {
    while (processes_) {
        const auto packet = platform::receive_packet(processes_.get(), MSG_DONTWAIT);
        if (!packet && packet.error().code == EAGAIN) return;
        if (!packet || packet->end) {
            loop_.forget(processes_.get());
            processes_.reset();
            return;
        }
        if (auto connecting = Connecting::decode(packet->bytes)) keep(std::move(*connecting));
    }
}

void Who::keep(Connecting connecting) {
    const std::uint64_t inode = connecting.inode;
    if (!by_inode_.insert_or_assign(inode, std::move(connecting)).second) return;
    order_.push_back(inode);
    if (order_.size() <= kMostKept) return;
    by_inode_.erase(order_.front());
    order_.pop_front();
}

}  // namespace reeve::egress
