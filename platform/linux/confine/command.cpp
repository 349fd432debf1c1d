// The last steps, in the command's own process.
#include <limits.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/confine/notify_filter.hpp"
#include "platform/linux/confine/setup.hpp"
#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {

Status enter_working_directory(Setup& setup) {
    const std::string& path = setup.plan.working_directory;
    const Cover cover = find_cover(setup.mounts, path, setup.mounts.size());
    if (cover.mount == nullptr || cover.mount->path == "/")
        return error("enter the working directory", path, "it is outside of what the session may see",
                     "start it in the workspace");
    // With the person's rights and no more, which they have by now. The name that the kernel has for it must
    // be the plan's: no link and no ".." led elsewhere.
    char now[PATH_MAX];
    if (::chdir(path.c_str()) != 0) return os_error("enter the working directory", path);
    if (::getcwd(now, sizeof now) == nullptr || path != now)
        return error("enter the working directory", path, "it leads to another place",
                     "start it in the workspace");
    return {};
}

Status set_streams(Setup& setup) {
    for (int i = 0; i < 3; ++i) {
        const int from = setup.streams[i] ? setup.streams[i].get() : setup.slave.get();
        if (::dup2(from, i) < 0) return os_error("set up standard stream", std::to_string(i));
    }
    if (left_out(setup.plan, "close_fds")) return {};
    // At exec, since the link is needed until then.
    if (::syscall(SYS_close_range, 3U, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */) != 0)
        return os_error("close what the command is not to have", "");
    return {};
}

namespace {

// From here on the calls that change the tree wait for the keeper, which alone has the listener: when it is gone they
// are ENOSYS.
Status hand_over_to_keeper(const Setup& setup) {
    auto listener = load_notify_filter(setup.notify_filter.get(), setup.plan.trap_reads);
    if (!listener) return std::unexpected(listener.error());
    const int fds[] = {setup.root.get(), listener->get()};
    if (auto s = send_packet(setup.keeper.get(), "k", fds); !s)
        return os_error("hand the session over to reeve-keeper", setup.plan.session, s.error().code,
                        "it is gone: see its log");
    return {};
}

}  // namespace

Status enter_filter(Setup& setup) {
    if (left_out(setup.plan, "seccomp")) return {};
#ifdef REEVE_TEST_HOLES
    auto filter = compile_filter(setup.plan.without);
    if (!filter) return std::unexpected(filter.error());
    setup.filter = std::move(*filter);
#endif
    if (setup.keeper)
        if (auto s = hand_over_to_keeper(setup); !s) return s;
    return load_filter(setup.filter.get());
}

void run_command(Setup& setup) {
    std::vector<char*> arguments, environment;
    for (std::string& argument : setup.plan.command) arguments.push_back(argument.data());
    for (std::string& variable : setup.plan.environment) environment.push_back(variable.data());
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    ::environ = environment.data();  // its PATH is the one that execvp() looks into
    ::execvp(arguments[0], arguments.data());
    const int code = errno;
    const std::string line = os_error("run", setup.plan.command[0], code).error().text();
    (void)!::write(STDERR_FILENO, ("reeve: " + line + "\n").data(), line.size() + 8);
    ::_exit(code == ENOENT ? 127 : 126);  // as a shell does
}

}  // namespace reeve::platform::confine
