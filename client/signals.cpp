#include "client/signals.hpp"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace reeve::client {

namespace {

// As nohup(1) and a shell's `&` leave it: then it is not for us, nor for the command.
bool is_ignored(int signal) {
    struct sigaction now {};
    return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

Signals::Signals() {
    sigset_t blocked, read;
    ::sigemptyset(&read);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH, SIGUSR1, SIGUSR2})
        if (!is_ignored(signal)) ::sigaddset(&read, signal);
    blocked = read;
    for (const int signal : {SIGTTIN, SIGTTOU, SIGPIPE}) ::sigaddset(&blocked, signal);
    ::pthread_sigmask(SIG_BLOCK, &blocked, &before_);
    fd_.reset(::signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK));
}

Signals::~Signals() {
    // What is still there has been dealt with by the end of the run: it must not end us now.
    while (next()) {
    }
    sigset_t pipe;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    const timespec at_once{};
    while (::sigtimedwait(&pipe, nullptr, &at_once) == SIGPIPE) {
    }
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> Signals::next() {
    signalfd_siginfo info{};
    if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
}

bool Signals::stop_by(int signal, bool group) {
    sigset_t only, pending;
    ::sigemptyset(&only);
    ::sigaddset(&only, signal);
    // A SIGCONT takes what stops from the pending signals, and the other way round: the one that is found
    // afterwards came after the stop.
    if (group) ::kill(0, signal);
    if (!group) ::raise(signal);
    ::pthread_sigmask(SIG_UNBLOCK, &only, nullptr);  // here it stops, and goes on
    ::pthread_sigmask(SIG_BLOCK, &only, nullptr);
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGCONT) == 1;
}

}  // namespace reeve::client
