// The watcher's reading of what keeper and veil report.
#include <sys/socket.h>

#include <cerrno>

#include "daemon/audit/watcher.hpp"

namespace reeve::audit {
namespace {

using platform::error;
using platform::Result;
using platform::Status;

constexpr int kPacketsInTurn = 16;  // of one source, so that no session keeps the others waiting

}  // namespace

// True when the socket was seen empty, or is read no more.
bool Watcher::read_some(Channel& channel) {
    for (int packets = 0; packets < kPacketsInTurn; ++packets) {
        if (!make_room()) return false;
        const auto packet = platform::receive_packet(channel.control.get(), MSG_DONTWAIT);
        if (!packet && packet.error().code == EAGAIN) {
            pipeline_.drained_late(channel.owner->session, channel.queue);
            return true;
        }
        if (!packet) {
            lose(channel, packet.error().why);
            return true;
        }
        if (!take(channel, *packet)) return true;
    }
    return false;
}

// False when it was the last one.
bool Watcher::take(Channel& channel, const platform::Packet& packet) {
    if (packet.bytes == access::kNoMore) {
        stop_waiting(channel.control.get(), channel);
        return false;
    }
    if (packet.end || !packet.fds.empty()) {
        lose(channel, packet.end ? "is gone before it had told all" : "sent a descriptor");
        return false;
    }
    if (auto s = take_reports(channel, packet.bytes); !s) {
        lose(channel, "sent what is no report: " + s.error().why);
        return false;
    }
    return true;
}

Status Watcher::take_reports(Channel& channel, std::string_view bytes) {
    // What the kernel has by now came before the reports: a process that ran another program is known as that.
    read_groups(*channel.owner);
    if (channel.network) {
        auto reports = egress::parse_reports(bytes);
        if (!reports) return std::unexpected(reports.error());
        pipeline_.take(channel.owner->session, std::move(*reports));
        return {};
    }
    const auto reports = access::parse_reports(bytes);
    if (!reports) return std::unexpected(reports.error());
    pipeline_.take(channel.owner->session, *reports);
    return {};
}

void Watcher::lose(Channel& channel, const std::string& what) {
    const std::string why = channel.name + " " + what;
    pipeline_.dropped(channel.owner->session, why, channel.queue);
    stop_waiting(channel.control.get(), channel);
    // Without its way out, which is started anew, a session is as confined as before.
    if (options_.broken && !channel.network)
        options_.broken(channel.owner->id, error("go on with the session", "", why).error());
}

// --- from other threads ---

Status Watcher::add_reports(const std::string& session, ReportSource source) {
    Status status;
    perform([&] {
        Watched* watched = find(session);
        const auto queue = watched != nullptr ? watched->session->processes.add_queue() : std::nullopt;
        if (!queue) {
            status =
                error("follow what is reported by", source.name,
                      watched == nullptr ? "the session is not watched" : "there are too many who report");
            return;
        }
        auto channel = std::make_unique<Channel>();
        channel->owner = watched;
        channel->queue = *queue;
        channel->name = std::move(source.name);
        channel->control = std::move(source.control);
        channel->network = source.network;
        status = await(channel->control.get(), *channel);
        if (!status) {
            watched->session->processes.queue_ends(*queue);
            return;
        }
        if (source.pid != 0) watched->session->reporters.push_back(source.pid);
        watched->channels.push_back(std::move(channel));
    });
    return status;
}

Result<std::vector<Denial>> Watcher::denials(const std::string& session, std::uint64_t after) {
    Result<std::vector<Denial>> result;
    perform([&] {
        const Watched* watched = find(session);
        if (watched != nullptr)
            result = watched->session->denials.since(after);
        else
            result = error("list the denials of", session, "the session is not watched");
    });
    return result;
}

}  // namespace reeve::audit
