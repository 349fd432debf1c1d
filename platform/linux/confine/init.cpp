// The first process, from when the command runs until the session ends: reaps, passes signals on, reports.
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"
#include "platform/linux/confine/wire.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

void send_signal(const Setup& setup, int signal) {
    pid_t group = setup.slave ? ::tcgetpgrp(setup.slave.get()) : setup.command;
    if (group <= 1 || ::kill(-group, signal) != 0) ::kill(-setup.command, signal);
}

// False when the session is to end.
bool obey(const Setup& setup) {
    auto packet = receive_packet(setup.link.get());
    if (!packet || packet->end) return false;
    wire::Reader reader(std::string_view(packet->bytes).substr(1));
    int signal = 0;
    if (static_cast<wire::Kind>(packet->bytes[0]) != wire::Kind::kSignal) return false;
    reader(signal);
    if (!reader.complete() || signal < 1 || signal >= NSIG) return false;
    send_signal(setup, signal);
    return true;
}

// The command is gone. What it left behind goes now, and the terminal's last writer with it, so that reeved
// reads all that was written and then its end: were this process to exit while it has the terminal, the
// kernel would hang it up and throw away what was not yet read.
void finish(Setup& setup, int status) {
    ::kill(-1, SIGKILL);
    while (::waitpid(-1, nullptr, 0) > 0 || errno == EINTR) {
    }
    setup.slave.reset();
    for (Fd& stream : setup.streams) stream.reset();
    (void)send_packet(setup.link.get(), wire::packet(wire::Kind::kExited, status));
    // Without a terminal nothing of it is lost with this process: what is in pipes stays there.
    if (!setup.plan.terminal.any()) ::_exit(0);
}

void reap(Setup& setup, bool& running) {
    int status = 0;
    pid_t pid;
    while ((pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0) {
        if (pid != setup.command) continue;
        if (WIFSTOPPED(status)) {
            (void)send_packet(setup.link.get(), wire::packet(wire::Kind::kStopped, WSTOPSIG(status)));
            continue;
        }
        running = false;
        return finish(setup, status);
    }
}

}  // namespace

void be_init(Setup& setup) {
    sigset_t child;
    ::sigemptyset(&child);
    ::sigaddset(&child, SIGCHLD);
    const Fd signals(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) ::_exit(1);
    bool running = true;
    while (true) {
        pollfd events[] = {{setup.link.get(), POLLIN, 0}, {signals.get(), POLLIN, 0}};
        if (::poll(events, 2, -1) < 0 && errno != EINTR) ::_exit(1);
        if (events[1].revents != 0) {
            signalfd_siginfo info;
            while (::read(signals.get(), &info, sizeof info) > 0) {
            }
            if (running) reap(setup, running);
        }
        // Its end ends this process, and with it the kernel kills all that is left of the pid namespace.
        if (events[0].revents != 0 && !obey(setup)) ::_exit(0);
    }
}

}  // namespace reeve::platform::confine
