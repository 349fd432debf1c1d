#include "platform/linux/confine/spawner_helper.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/confine/handover.hpp"
#include "platform/linux/confine/network.hpp"
#include "platform/linux/confine/wire.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

// Where the helper keeps its own three descriptors (what it receives lies below), and where the child lets
// those that it was given wait for their places.
constexpr int kOwn = 100;
constexpr int kScratch = 200;
static_assert(kFirstExtra + kMaxPacketFds < kOwn);

SpawnAnswer failure(const Error& error) {
    SpawnAnswer answer;
    answer.code = error.code == 0 ? EIO : error.code;
    std::strncpy(answer.failed, error.tried.c_str(), sizeof answer.failed - 1);
    return answer;
}

// In the child: puts `fds` at kPlanFd and up and becomes reeve-confine; all others close themselves. A
// failure is told over the link.
[[noreturn]] void become_confine(int confine, std::span<const int> fds) {
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (::dup3(fds[i], kScratch + static_cast<int>(i), O_CLOEXEC) < 0) ::_exit(1);
    for (std::size_t i = 0; i < fds.size(); ++i)
        if (::dup2(kScratch + static_cast<int>(i), kPlanFd + static_cast<int>(i)) < 0) ::_exit(1);
    ::signal(SIGCHLD, SIG_DFL);
    char name[] = "reeve-confine";
    char* const arguments[] = {name, nullptr};
    char* const environment[] = {nullptr};
    // AT_EMPTY_PATH: the file that was opened when reeved began, whatever stands under its name today.
    ::syscall(SYS_execveat, confine, "", arguments, environment, AT_EMPTY_PATH);
    const Error error = os_error("start", "reeve-confine").error();
    (void)send_packet(kLinkFd, wire::packet(wire::Kind::kStepFailed, std::string("exec"), error));
    ::_exit(1);
}

class Helper {
  public:
    Helper(Fd socket, Fd confine, Fd filter)
        : socket_(std::move(socket)), confine_(std::move(confine)), filter_(std::move(filter)) {}

    [[noreturn]] void run() {
        while (true) {
            // Here and not at the next request: this is the millisecond that a launch is spared.
            if (!network_is_new_) prepare_network();
            auto packet = receive_packet(socket_.get());
            if (!packet || packet->end) ::_exit(0);
            answer(*packet);
        }
    }

  private:
    void prepare_network() {
        auto entered = enter_new_network();
        network_is_new_ = entered.has_value();
        if (!entered) network_error_ = entered.error();
    }

    void answer(const Packet& packet) {
        int pidfd = -1;
        const SpawnAnswer answer = start(packet, pidfd);
        const Fd owner(pidfd);
        const std::string_view bytes(reinterpret_cast<const char*>(&answer), sizeof answer);
        if (!send_packet(socket_.get(), bytes, std::span(&pidfd, pidfd >= 0 ? 1 : 0))) ::_exit(1);
    }

    SpawnAnswer start(const Packet& packet, int& pidfd) {
        SpawnRequest request;
        const std::size_t needed =
            2u + (packet.bytes.empty() ? 0u : static_cast<unsigned char>(packet.bytes[0]));
        if (packet.bytes.size() != sizeof request || packet.fds.size() < needed)
            return failure(error("read the request", "", "malformed").error());
        std::memcpy(&request, packet.bytes.data(), sizeof request);
        // Tried once more, since what was missing may be there now; never started in a used one.
        if (!network_is_new_) prepare_network();
        if (!network_is_new_) return failure(network_error_);

        std::vector<int> fds{packet.fds[0].get(), packet.fds[1].get(), filter_.get()};
        for (std::size_t i = needed; i < packet.fds.size(); ++i) fds.push_back(packet.fds[i].get());

        clone_args arguments{};
        arguments.flags = CLONE_NEWPID | CLONE_PIDFD;
        arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
        arguments.exit_signal = SIGCHLD;
        if (request.cgroup != 0) {
            arguments.flags |= CLONE_INTO_CGROUP;
            arguments.cgroup = static_cast<std::uint64_t>(packet.fds[2].get());
        }
        network_is_new_ = false;
        const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid == 0) become_confine(confine_.get(), fds);
        if (pid < 0) return failure(os_error("make the session's first process", "").error());
        SpawnAnswer answer;
        answer.pid = static_cast<std::int32_t>(pid);
        return answer;
    }

    Fd socket_, confine_, filter_;
    bool network_is_new_ = false;
    Error network_error_;
};

}  // namespace

void run_spawner_helper(Fd socket, Fd confine, Fd filter) {
    ::prctl(PR_SET_NAME, "reeve-spawner");
    ::prctl(PR_SET_DUMPABLE, 0);
    // Its children are reaped by the kernel; who waits for them has their pidfds.
    ::signal(SIGCHLD, SIG_IGN);
    // Ctrl-C in reeved's terminal is for reeved to answer; this process ends when reeved has.
    ::setsid();
    // Only these three stay open, out of the way of everything that comes later.
    const int given[3] = {socket.release(), confine.release(), filter.release()};
    int aside[3];
    for (int i = 0; i < 3; ++i) aside[i] = ::fcntl(given[i], F_DUPFD_CLOEXEC, kScratch);
    for (int i = 0; i < 3; ++i)
        if (::dup3(aside[i], kOwn + i, O_CLOEXEC) < 0) ::_exit(1);
    ::close_range(3, kOwn - 1, 0);
    ::close_range(kOwn + 3, ~0U, 0);
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) ::_exit(1);
    for (int fd = 0; fd < 3; ++fd)
        if (::dup2(null.get(), fd) < 0) ::_exit(1);
    Helper(Fd(kOwn), Fd(kOwn + 1), Fd(kOwn + 2)).run();
}

}  // namespace reeve::platform::confine
