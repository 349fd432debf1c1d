#include "platform/linux/cgroup.hpp"

#include <fcntl.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <sstream>

namespace reeve::platform {
namespace {

constexpr const char* kOurs = "/reeve";

struct Hierarchy {
    std::string version2;                                            // where it is mounted; empty for nowhere
    std::vector<std::pair<std::string, std::string>> version1 = {};  // controller, where it is mounted
};

Hierarchy look_for_hierarchies() {
    Hierarchy found;
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> mounts(::setmntent("/proc/self/mounts", "re"),
                                                                 &::endmntent);
    if (!mounts) return found;
    mntent entry;
    char buffer[4096];
    while (::getmntent_r(mounts.get(), &entry, buffer, sizeof buffer) != nullptr) {
        const std::string type = entry.mnt_type;
        if (type == "cgroup2" && found.version2.empty()) found.version2 = entry.mnt_dir;
        if (type != "cgroup") continue;
        for (const char* controller : {"memory", "pids"})
            if (::hasmntopt(&entry, controller) != nullptr)
                found.version1.emplace_back(controller, entry.mnt_dir);
    }
    return found;
}

// As they were when they were first asked for and there: no machine mounts them anew while it runs, and a session's start
// would read all of its mounts three times.
Hierarchy hierarchies() {
    static std::mutex mutex;
    static Hierarchy known;
    const std::lock_guard lock(mutex);
    if (known.version2.empty()) known = look_for_hierarchies();
    return known;
}

Status write_file(const std::string& path, const std::string& text, const std::string& todo = {}) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), text.data(), text.size()) < 0)
        return os_error("write", path, errno, todo);
    return {};
}

Result<std::string> read_file(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return os_error("read", path);
    std::string text;
    char buffer[4096];
    ssize_t got;
    while ((got = ::read(file.get(), buffer, sizeof buffer)) > 0)
        text.append(buffer, static_cast<std::size_t>(got));
    if (got < 0) return os_error("read", path);
    return text;
}

Status make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) return os_error("make the cgroup", path);
    return {};
}

bool has_word(const std::string& text, const std::string& word) {
    std::istringstream words(text);
    for (std::string next; words >> next;)
        if (next == word) return true;
    return false;
}

// Where sessions' groups go: below the root, or where the service manager has put us and delegated to us.
Result<std::string> parent_of_sessions(const std::string& mount) {
    auto own = cgroup_of(::getpid());
    if (!own) return own;
    std::string base = *own == "/" ? "" : *own;
    // A group with processes of its own cannot give controllers to its children (the rule of no internal
    // processes), so a delegated service runs in a leaf and sessions are that leaf's siblings.
    if (base.ends_with("/reeved")) base.resize(base.size() - std::string("/reeved").size());
    if (auto s = make_directory(mount + base + kOurs); !s) return std::unexpected(s.error());
    return base + kOurs;
}

// Makes `controller` of version 2 available in the children of `group`, from the root down. Not all can be
// had.
void delegate(const std::string& mount, const std::string& group, const std::string& controller) {
    std::string at = mount;
    std::istringstream parts(group);
    std::string part;
    do {
        if (!part.empty()) at += "/" + part;
        (void)write_file(at + "/cgroup.subtree_control", "+" + controller);
    } while (std::getline(parts, part, '/'));
}

}  // namespace

Result<std::string> cgroup_of(pid_t pid) {
    auto text = read_file("/proc/" + std::to_string(pid) + "/cgroup");
    if (!text) return text;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("0::")) return line.substr(3);
    return std::string();
}

Result<Cgroup> Cgroup::create(const std::string& name) {
    if (name.empty() || name.find('/') != std::string::npos || name[0] == '.')
        return error("make a cgroup", name, "not a name");
    const std::string mount = hierarchies().version2;
    if (mount.empty())
        return error("make a cgroup", name, "no cgroup v2 hierarchy is mounted",
                     "mount one: mount -t cgroup2 none /sys/fs/cgroup/unified");
    auto parent = parent_of_sessions(mount);
    if (!parent) return std::unexpected(parent.error());
    Cgroup group;
    group.mount_ = mount;
    group.path_ = *parent + "/" + name;
    if (::mkdir((mount + group.path_).c_str(), 0755) != 0)
        return os_error("make the cgroup", mount + group.path_);
    return group;
}

Status Cgroup::limit_by(const std::string& controller, const std::string& v2_file, const std::string& v1_file,
                        std::uint64_t value) {
    if (value == 0) return {};
    // A controller is of one version at a time.
    for (const auto& [name, mount] : hierarchies().version1) {
        if (name != controller) continue;
        const std::string group = mount + kOurs + path_.substr(path_.rfind('/'));
        if (auto s = make_directory(mount + kOurs); !s) return s;
        if (auto s = make_directory(group); !s) return s;
        if (std::find(v1_.begin(), v1_.end(), group) == v1_.end()) v1_.push_back(group);
        return write_file(group + "/" + v1_file, std::to_string(value));
    }
    const std::string directory = mount_ + path_;
    delegate(mount_, path_.substr(0, path_.rfind('/')), controller);
    if (auto offered = read_file(directory + "/cgroup.controllers");
        offered && has_word(*offered, controller))
        return write_file(directory + "/" + v2_file, std::to_string(value));
    return error("limit", controller, "neither cgroup version has that controller here",
                 "take the limit out of the policy, or boot with cgroup_enable=" + controller);
}

Status Cgroup::limit(std::uint64_t memory_bytes, std::uint64_t processes) {
    if (auto s = limit_by("memory", "memory.max", "memory.limit_in_bytes", memory_bytes); !s) return s;
    return limit_by("pids", "pids.max", "pids.max", processes);
}

Result<Fd> Cgroup::directory() const {
    Fd fd(::open((mount_ + path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_error("open the cgroup", path_);
    return fd;
}

Result<std::vector<Fd>> Cgroup::limit_groups() const {
    std::vector<Fd> fds;
    for (const std::string& group : v1_) {
        // Not cgroup.procs: a thread that moves itself by `tasks` is spared the lock over all forks of the machine,
        // which takes an RCU grace period, some 10 ms (Linux 5.13, cgroup_procs_write_start()). reeve-confine has one
        // thread when it does.
        fds.emplace_back(::open((group + "/tasks").c_str(), O_WRONLY | O_CLOEXEC));
        if (!fds.back()) return os_error("open the cgroup", group);
    }
    return fds;
}

bool Cgroup::contains(const std::string& cgroup) const {
    return cgroup.starts_with(path_) && (cgroup.size() == path_.size() || cgroup[path_.size()] == '/');
}

Result<std::vector<pid_t>> Cgroup::members() const {
    auto text = read_file(mount_ + path_ + "/cgroup.procs");
    if (!text) return std::unexpected(text.error());
    std::vector<pid_t> pids;
    std::istringstream lines(*text);
    for (pid_t pid; lines >> pid;) pids.push_back(pid);
    return pids;
}

Status Cgroup::kill() {
    if (auto killed = write_file(mount_ + path_ + "/cgroup.kill", "1");
        killed || killed.error().code != ENOENT)
        return killed;
    // Before Linux 5.14. New ones may be born while the list is read, so until there are none.
    while (true) {
        auto pids = members();
        if (!pids) return std::unexpected(pids.error());
        if (pids->empty()) return {};
        for (const pid_t pid : *pids) ::kill(pid, SIGKILL);
    }
}

Status Cgroup::remove(int milliseconds) {
    // A watch is only made for who has to wait: closing one takes an SRCU grace period, some 15 ms.
    const bool gone = ::rmdir((mount_ + path_).c_str()) == 0 || errno == ENOENT;
    if (!gone && (errno != EBUSY || milliseconds <= 0)) return os_error("remove the cgroup", path_);
    if (!gone)
        if (auto s = wait_and_remove(milliseconds); !s) return s;
    // A member leaves all its groups at once, so these are empty by now.
    for (const std::string& group : v1_)
        if (::rmdir(group.c_str()) != 0 && errno != ENOENT) return os_error("remove the cgroup", group);
    return {};
}

Status Cgroup::wait_and_remove(int milliseconds) {
    // cgroup.events changes when the last member goes; the watch is there before the first look.
    const Fd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    const std::string events = mount_ + path_ + "/cgroup.events";
    if (!watch || ::inotify_add_watch(watch.get(), events.c_str(), IN_MODIFY) < 0)
        return os_error("watch the cgroup", path_);
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
    while (::rmdir((mount_ + path_).c_str()) != 0) {
        if (errno == ENOENT) break;
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        if (errno != EBUSY || left.count() <= 0) return os_error("remove the cgroup", path_);
        pollfd changed{watch.get(), POLLIN, 0};
        ::poll(&changed, 1, static_cast<int>(left.count()));
        char buffer[4096];
        while (::read(watch.get(), buffer, sizeof buffer) > 0) {
        }
    }
    return {};
}

}  // namespace reeve::platform
