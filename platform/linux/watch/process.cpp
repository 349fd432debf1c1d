#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdlib>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

// proc_pid_stat(5): "pid (comm) state ppid …", start time is field 22, in ticks of USER_HZ. The comm may hold
// anything, also ") R 1", so that the fields are counted from the last parenthesis.
bool parse_stat(std::string_view text, Process& process) {
    const std::size_t end = text.rfind(')');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
    std::uint64_t parent = 0, ticks = 0;
    for (int field = 3; field <= 22; ++field) {
        if (text.empty() || text.front() != ' ') return false;
        text.remove_prefix(1);
        const std::string_view word = text.substr(0, text.find(' '));
        const auto number = [&](std::uint64_t& out) {
            return std::from_chars(word.data(), word.data() + word.size(), out).ec == std::errc();
        };
        if (field == 3) process.state = word.empty() ? '\0' : word.front();
        if (field == 4 && !number(parent)) return false;
        if (field == 22 && !number(ticks)) return false;
        text.remove_prefix(word.size());
    }
    static const std::uint64_t ns_per_tick =
        1'000'000'000ULL / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    process.parent = static_cast<pid_t>(parent);
    process.start_ns = ticks * ns_per_tick;
    return true;
}

bool ended(int pidfd) {
    pollfd entry{pidfd, POLLIN, 0};
    return poll(&entry, 1, 0) == 1;
}

}  // namespace

std::optional<Process> look_up(pid_t pid) {
    if (pid <= 0) return std::nullopt;
    Process process;
    process.pid = pid;
    process.pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
    if (!process.pidfd) return std::nullopt;
    const Fd folder(
        open(("/proc/" + std::to_string(pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!folder) return std::nullopt;
    const Fd stat_file(openat(folder.get(), "stat", O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> text;
    const ssize_t size = stat_file ? read(stat_file.get(), text.data(), text.size()) : -1;
    if (size <= 0 || !parse_stat({text.data(), static_cast<std::size_t>(size)}, process)) return std::nullopt;
    const ssize_t length = readlinkat(folder.get(), "exe", text.data(), text.size());
    if (length > 0) process.exe.assign(text.data(), static_cast<std::size_t>(length));
    struct stat space;
    if (fstatat(folder.get(), "ns/pid", &space, 0) == 0) process.pid_namespace = space.st_ino;
    // Alive now, so it was alive all the while and the number was nobody else's.
    if (ended(process.pidfd.get())) return std::nullopt;
    return process;
}

Ends::Ends() : set_(epoll_create1(EPOLL_CLOEXEC)) {}

Status Ends::add(const Fd& pidfd, std::uint64_t token) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLONESHOT;
    event.data.u64 = token;
    if (epoll_ctl(set_.get(), EPOLL_CTL_ADD, pidfd.get(), &event) != 0)
        return os_error("follow a process to its end", "");
    return {};
}

std::span<const std::uint64_t> Ends::collect() {
    std::array<epoll_event, 256> events;
    tokens_.clear();
    const int count = epoll_wait(set_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) tokens_.push_back(events[static_cast<std::size_t>(i)].data.u64);
    return tokens_;
}

}  // namespace reeve::platform::watch
