#include "client/terminal.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <utility>

namespace reeve::client {
namespace {

// What a signal handler needs to put the terminal back. Written before `raw_terminal`, which says that it is
// there.
termios saved{};
std::atomic<int> raw_terminal{-1};

// Signals that end the process because of a fault of its own. Those that others send are read (signals.hpp).
constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};

extern "C" void restore_and_die(int signal) {
    const int fd = raw_terminal.exchange(-1);
    if (fd >= 0) ::tcsetattr(fd, TCSANOW, &saved);
    ::raise(signal);  // SA_RESETHAND: the default action this time
}

void watch_for_faults() {
    static bool done = false;
    if (std::exchange(done, true)) return;
    struct sigaction action {};
    action.sa_handler = restore_and_die;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : kFatal) ::sigaction(signal, &action, nullptr);
}

}  // namespace

std::optional<Terminal> Terminal::of_streams(const std::array<bool, 3>& terminal) {
    for (int i = 0; i < 3; ++i)
        if (terminal[static_cast<std::size_t>(i)]) return Terminal(i, terminal[0] && terminal[1]);
    return std::nullopt;
}

Terminal::Terminal(Terminal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      whole_(other.whole_),
      raw_(std::exchange(other.raw_, false)),
      before_(other.before_) {}

bool Terminal::foreground() const {
    const pid_t group = ::tcgetpgrp(fd_);
    return group < 0 || group == ::getpgrp();  // an error: it is not our controlling terminal
}

bool Terminal::in_line_mode() const {
    termios now{};
    return ::tcgetattr(fd_, &now) == 0 && (now.c_lflag & ICANON) != 0;
}

winsize Terminal::size() const {
    winsize size{};
    if (::ioctl(fd_, TIOCGWINSZ, &size) != 0) size = {};
    return size;
}

void Terminal::make_raw() {
    if (raw_ || !foreground() || ::tcgetattr(fd_, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    watch_for_faults();
    saved = before_;
    raw_terminal = fd_;
    // TCSADRAIN: what was typed ahead is the session's.
    raw_ = ::tcsetattr(fd_, TCSADRAIN, &raw) == 0;
}

void Terminal::restore() {
    if (!std::exchange(raw_, false)) return;
    raw_terminal = -1;
    ::tcsetattr(fd_, TCSADRAIN, &before_);
}

bool reads_lines(int master) {
    termios now{};
    return ::tcgetattr(master, &now) != 0 || (now.c_lflag & ICANON) != 0;
}

void switch_echo_off(int master) {
    termios now{};
    if (::tcgetattr(master, &now) != 0) return;
    now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(master, TCSANOW, &now);
}

}  // namespace reeve::client
