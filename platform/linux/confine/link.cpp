#include "platform/linux/confine/link.hpp"

#include <sys/socket.h>

#include "platform/linux/confine/wire.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

using wire::Kind;
constexpr const char* kTodo = "end the session: its first process is not to be trusted";

// The one descriptor that the message comes with; empty where there is none.
Fd only_fd(Packet& packet) {
    return packet.fds.size() == 1 ? std::move(packet.fds[0]) : Fd();
}

Result<Message> parse(Packet packet) {
    wire::Reader reader(std::string_view(packet.bytes).substr(1));
    Message message = Closed{};
    bool complete = packet.fds.empty();
    switch (static_cast<Kind>(packet.bytes[0])) {
        case Kind::kStepDone: {
            auto& m = message.emplace<StepDone>();
            reader(m.step, m.nanoseconds);
            break;
        }
        case Kind::kStepFailed: {
            auto& m = message.emplace<StepFailed>();
            reader(m.step, m.error);
            break;
        }
        case Kind::kMounted: {
            auto& m = message.emplace<Mounted>();
            reader(m.path, m.by_descriptor);
            m.mount = only_fd(packet);
            complete = static_cast<bool>(m.mount);
            break;
        }
        case Kind::kStarted: {
            complete = packet.fds.size() <= 1;
            message.emplace<Started>().terminal = only_fd(packet);
            break;
        }
        case Kind::kStopped:
            reader(message.emplace<Stopped>().signal);
            break;
        case Kind::kExited:
            reader(message.emplace<Exited>().status);
            break;
        default:
            complete = false;
    }
    if (!complete || !reader.complete())
        return error("read the session's link", "", "malformed message", kTodo);
    return message;
}

}  // namespace

Result<std::optional<Message>> Link::receive() {
    auto packet = receive_packet(socket_.get(), MSG_DONTWAIT);
    if (!packet && (packet.error().code == EAGAIN)) return std::optional<Message>();
    // ECONNRESET: it went while something of ours was still unread.
    if ((packet && packet->end) || (!packet && packet.error().code == ECONNRESET)) return Message(Closed{});
    if (!packet) return std::unexpected(packet.error());
    auto message = parse(std::move(*packet));
    if (!message) return std::unexpected(message.error());
    return std::move(*message);
}

Status Link::send_signal(int signal) {
    return send_packet(socket_.get(), wire::packet(Kind::kSignal, signal));
}

Status Link::send_end() {
    return send_packet(socket_.get(), wire::packet(Kind::kEnd));
}

}  // namespace reeve::platform::confine
