#include "daemon/reeved/self_test.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

#include "daemon/session/id.hpp"
#include "platform/linux/cgroup.hpp"

namespace reeve::daemon {
namespace {

namespace confine = platform::confine;
using platform::Fd;
using platform::os_error;
using platform::Result;

constexpr uid_t kNobody = 65534;
constexpr std::chrono::seconds kLimit{20};
constexpr std::size_t kMostOutput = 64 * 1024;

Result<confine::Zone> read_only_zone(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return os_error("look at the zone", path);
    return confine::Zone{.path = path,
                         .device = status.st_dev,
                         .inode = status.st_ino,
                         .directory = S_ISDIR(status.st_mode),
                         .executable = true};
}

// The folders of programs and libraries, as they are on this machine: folders, or links into /usr.
platform::Status add_system(confine::Plan& plan) {
    for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64"}) {
        char target[256];
        const ssize_t length = ::readlink(path, target, sizeof target);
        if (length > 0) {
            plan.links.push_back({path, std::string(target, static_cast<std::size_t>(length))});
        } else if (::access(path, F_OK) == 0) {
            auto zone = read_only_zone(path);
            if (!zone) return std::unexpected(zone.error());
            plan.zones.push_back(std::move(*zone));
        }
    }
    return {};
}

// Like a session of the vendor's policy, for an account that owns nothing.
Result<confine::Plan> plan_for(const std::string& program, const std::string& out_of_reach) {
    confine::Plan plan;
    auto id = session::new_id();
    if (!id) return std::unexpected(id.error());
    plan.session = *id;
    plan.person = {.uid = kNobody, .gid = kNobody, .groups = {kNobody}, .name = "nobody"};
    if (auto s = add_system(plan); !s) return std::unexpected(s.error());
    if (!program.starts_with("/usr/")) {
        auto zone = read_only_zone(program);
        if (!zone) return std::unexpected(zone.error());
        plan.zones.push_back(std::move(*zone));
    }
    plan.private_directories = {{.path = "/home"},
                                {.path = "/tmp", .mode = 01777},
                                {.path = "/run", .of_person = false, .mode = 0755}};
    plan.working_directory = "/home";
    plan.command = {program, out_of_reach, "/usr", std::to_string(::getpid())};
    plan.environment = {"PATH=/usr/bin:/bin", "HOME=/home", "LANG=C.UTF-8", "TMPDIR=/tmp"};
    plan.limits = {.memory = 256U << 20, .processes = 64};
    return plan;
}

// What it writes until it ends, or until the time is over.
Result<std::string> listen_to(confine::Child& child, const Fd& output) {
    const auto end = std::chrono::steady_clock::now() + kLimit;
    std::string text;
    bool writing = true, running = true;
    while (writing || running) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd events[] = {{writing ? output.get() : -1, POLLIN, 0},
                           {running ? child.link.fd() : -1, POLLIN, 0}};
        const int ready = left.count() > 0 ? ::poll(events, 2, static_cast<int>(left.count())) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return os_error("run the self-test", "", ETIMEDOUT);
        if (events[0].revents != 0) {
            char block[4096];
            const ssize_t got = ::read(output.get(), block, sizeof block);
            writing = got > 0;
            if (got > 0) text.append(block, static_cast<std::size_t>(got));
            if (text.size() > kMostOutput) return os_error("run the self-test", "", EFBIG);
        }
        if (events[1].revents == 0) continue;
        auto message = child.link.receive();
        if (!message) return std::unexpected(message.error());
        if (!*message) continue;
        if (const auto* failed = std::get_if<confine::StepFailed>(&**message))
            return std::unexpected(failed->error);
        running = !std::holds_alternative<confine::Exited>(**message) &&
                  !std::holds_alternative<confine::Closed>(**message);
    }
    return text;
}

Result<std::string> run(confine::Spawner& spawner, const std::string& program,
                        const std::string& out_of_reach) {
    auto plan = plan_for(program, out_of_reach);
    if (!plan) return std::unexpected(plan.error());
    auto cgroup = platform::Cgroup::create(plan->session);
    if (!cgroup) return std::unexpected(cgroup.error());
    confine::StartFds fds;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return os_error("make a pipe", "");
    const Fd output(ends[0]);
    fds.streams[1].reset(ends[1]);
    for (const int i : {0, 2}) fds.streams[i].reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    auto directory = cgroup->directory();
    Result<std::string> text = directory ? Result<std::string>() : std::unexpected(directory.error());
    if (text) {
        fds.cgroup = std::move(*directory);
        auto child = spawner.start(*plan, std::move(fds));
        text = child ? listen_to(*child, output) : std::unexpected(child.error());
    }
    (void)cgroup->kill();
    (void)cgroup->remove(2000);
    return text;
}

}  // namespace

platform::posture::SelfTest self_test(confine::Spawner& spawner, const std::string& libexec,
                                      const std::string& scratch) {
    return [&spawner, program = libexec + "/reeve-self-test",
            path = scratch + "/self-test-out-of-reach"]() -> Result<std::string> {
        if (::access(program.c_str(), X_OK) != 0) return os_error("find the self-test", program);
        // Readable for everybody outside: that it is not read inside is the session's doing alone.
        const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
        if (!file) return os_error("make what is to stay out of reach", path);
        auto text = run(spawner, program, path);
        ::unlink(path.c_str());
        return text;
    };
}

}  // namespace reeve::daemon
