#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {

Status open_terminal(Setup& setup) {
    if (::setsid() < 0) return os_error("begin a session", "");
    if (!setup.plan.terminal.any()) return {};
    setup.master.reset(::openat(setup.pts.get(), "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!setup.master) return os_error("open", "/dev/ptmx");
    int locked = 0;
    if (::ioctl(setup.master.get(), TIOCSPTLCK, &locked) != 0) return os_error("unlock the terminal", "");
    setup.slave.reset(::ioctl(setup.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!setup.slave) return os_error("open the terminal", "");
    if (::fchown(setup.slave.get(), setup.plan.person.uid, setup.plan.person.gid) != 0)
        return os_error("give the terminal to the person", "");
    winsize size{};
    size.ws_row = setup.plan.terminal.rows;
    size.ws_col = setup.plan.terminal.columns;
    if (::ioctl(setup.master.get(), TIOCSWINSZ, &size) != 0) return os_error("set the terminal's size", "");
    if (::ioctl(setup.slave.get(), TIOCSCTTY, 0) != 0) return os_error("take the terminal", "");
    return {};
}

// In the command's process: its own process group, in the foreground. The first process stays session leader,
// so that the group is not orphaned and can be stopped.
Status take_terminal(Setup& setup) {
    if (::setpgid(0, 0) != 0) return os_error("make a process group", "");
    if (setup.slave &&
        ::tcsetpgrp(setup.slave.get(), ::getpid()) != 0)  // SIGTTOU is blocked until the command runs
        return os_error("take the foreground", "");
    return {};
}

}  // namespace reeve::platform::confine
