#include "tests/integration/keeper_harness.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "daemon/access/setup.hpp"
#include "platform/linux/confine/notify_filter.hpp"
#include "platform/linux/confine/setup.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "policy/engine.hpp"

namespace reeve::test {
namespace fs = std::filesystem;
using platform::Fd;

namespace {

[[noreturn]] void give_up(const std::string& what) {
    throw std::runtime_error(what + ": " + std::strerror(errno));
}
// In a child.
void must(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    ::_exit(125);
}

template <class T>
T value_of(platform::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
}

int filter() {
    static const Fd fd = value_of(platform::confine::compile_notify_filter());
    return fd.get();
}

std::string compile_rules(const KeptOptions& options, const std::string& home, const std::string& workspace) {
    const std::string text =
        std::string(R"({"schema": "reeve.policy/1", "id": "test", "version": 1, "mode": ")") +
        (options.observe ? "observe" : "enforce") +
        R"(", "files": [{"allow": ["read", "write", "execute"], "paths": ["/**"]})" +
        (options.rules.empty() ? "" : ", " + options.rules) + "]}";
    auto document = policy::parse_document(text, "test");
    if (!document) throw std::runtime_error("rules: " + document.error().front().message + "\n" + text);
    const policy::Variables variables{home, workspace, "tester", "test", "/tmp"};
    auto compiled =
        policy::compile({{policy::Authority::organisation, *document}}, variables, policy::kUnverified);
    if (!compiled) throw std::runtime_error("rules: " + compiled.error().front().message);
    const auto bytes = compiled->table_bytes();
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void collect(std::vector<Told>& into, std::string_view packet) {
    auto reports = access::parse_reports(packet);
    if (!reports) return;
    for (const access::Report& r : *reports)
        for (std::uint64_t i = 0; i < r.count; ++i)
            into.push_back({std::string(r.operation), std::string(r.path), std::string(r.target),
                            std::string(r.rule), std::string(r.exe), r.action, r.verdict, r.error, r.decided,
                            r.directory, r.pid});
}

// Until its end: whoever sends has ended.
void collect(std::vector<egress::Connecting>& into, const Fd& socket) {
    for (auto packet = platform::receive_packet(socket.get()); packet && !packet->end;
         packet = platform::receive_packet(socket.get()))
        into.push_back(value_of(egress::Connecting::decode(packet->bytes)));
}

}  // namespace

struct Kept::Ends {
    platform::SocketPair control, work, connections;
    Fd setup, table;
    Fd out_read, out_write;
    Fd host_root;
    Fd mapped;  // eventfd: the user namespace has its maps
};

std::string Told::text() const {
    std::ostringstream out;
    out << operation << ' ' << path << (target.empty() ? "" : " -> " + target) << " action "
        << policy::name_of(action) << ' ' << policy::name_of(verdict) << " errno " << error << " rule "
        << rule;
    return out.str();
}

std::string KeptResult::text() const {
    std::string out =
        "exit code " + std::to_string(exit_code) + ", signal " + std::to_string(signal) + "\n" + output;
    for (const Told& told : reports) out += "report: " + told.text() + "\n";
    return out;
}

std::size_t KeptResult::told(const std::string& operation, const fs::path& path, int error) const {
    std::size_t count = 0;
    for (const Told& r : reports) count += r.operation == operation && r.path == path && r.error == error;
    return count;
}

Kept::Kept(KeptOptions options) : options_(std::move(options)) {
    static std::atomic<unsigned> next = 0;
    id_ = static_cast<uid_t>(1'600'000'000 + (::getpid() % 1'000'000) * 100 + (next++ % 100));
    std::string name = options_.parent + "/reeve-kept-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) give_up("mkdtemp");
    root_ = name;
    if (::chmod(name.c_str(), 0755) != 0) give_up("chmod");
    make_directory(workspace());
    table_ = compile_rules(options_, (root_ / "home").string(), workspace().string());
    filter();
}

Kept::~Kept() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
}

void Kept::make_directory(const fs::path& path) const {
    if (fs::exists(path)) return;
    make_directory(path.parent_path());
    fs::create_directory(path);
    if (::chown(path.c_str(), id_, id_) != 0) give_up("chown");
}

void Kept::write(const fs::path& path, const std::string& text, unsigned mode) const {
    make_directory(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    if (::chown(path.c_str(), id_, id_) != 0 || ::chmod(path.c_str(), mode) != 0) give_up("chown");
}

pid_t Kept::start_keeper(Ends& ends) {
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    std::vector<int> given{ends.setup.get(), ends.table.get(), ends.control.theirs.get(),
                           ends.work.theirs.get()};
    if (options_.connections) given.push_back(ends.connections.theirs.get());
    for (int& fd : given) fd = ::fcntl(fd, F_DUPFD, 100);
    int next = access::kSetupFd;
    for (const int fd : given) must(::dup2(fd, next++) >= 0, "dup2");
    ::close_range(static_cast<unsigned>(next), ~0U, 0);
    must(::setgroups(1, &id_) == 0 && ::setresgid(id_, id_, id_) == 0 && ::setresuid(id_, id_, id_) == 0,
         "ids");
    ::execl(REEVE_KEEPER, "reeve-keeper", nullptr);
    must(false, "reeve-keeper");
    ::_exit(125);
}

// As root, in new mount and pid namespaces, becomes the person in a user namespace of theirs, and the command.
void Kept::be_session(Ends& ends, const std::vector<std::string>& command) {
    const std::string work = workspace().string();
    must(::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "private mounts");
    must(::mount("proc", "/proc", "proc", 0, nullptr) == 0, "proc");
    must(::mount("tmpfs", "/tmp", "tmpfs", 0, "mode=1777") == 0, "tmp");
    must(::mount(work.c_str(), work.c_str(), nullptr, MS_BIND, nullptr) == 0, "workspace");
    if (!options_.kept.empty()) {
        const std::string kept = work + "/" + options_.kept;
        must(::mount(kept.c_str(), kept.c_str(), nullptr, MS_BIND, nullptr) == 0, "kept");
        must(::mount("", kept.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) == 0, "read-only");
    }
    const Fd root(::open("/", O_PATH | O_CLOEXEC));
    must(::dup2(ends.out_write.get(), 1) == 1 && ::dup2(1, 2) == 2, "output");
    platform::confine::Setup setup;
    for (const char* path : {"/tmp", "/dev", "/proc"})
        setup.mounts.push_back({.path = path,
                                .mount = Fd(::open(path, O_PATH | O_CLOEXEC)),
                                .changeable = std::string(path) == "/tmp"});
    if (options_.without_keeper)
        setup.mounts.push_back(
            {.path = work, .mount = Fd(::open(work.c_str(), O_PATH | O_CLOEXEC)), .changeable = true});
    must(platform::confine::enter_landlock(setup).has_value(), "Landlock");
    const Fd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    must(::setgroups(1, &id_) == 0 && ::setresgid(id_, id_, id_) == 0, "group");
    ::prctl(PR_SET_KEEPCAPS, 1);
    must(::setresuid(id_, id_, id_) == 0, "user");
    const long child = ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
    must(child >= 0, "user namespace");
    if (child > 0) {
        // The maps are written by the test, which has the rights and sees this pid by /proc.
        int status = 0;
        ::waitpid(static_cast<pid_t>(child), &status, 0);
        ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    std::uint64_t count = 0;
    must(::read(ends.mapped.get(), &count, sizeof count) == sizeof count, "maps");
    must(::chdir(work.c_str()) == 0, "workspace");
    ::umask(022);
    if (!options_.without_keeper) {
        auto listener = platform::confine::load_notify_filter(filter(), options_.trap_reads);
        if (!listener) std::fprintf(stderr, "%s\n", listener.error().text().c_str());
        must(listener.has_value(), "filter");
        const int sent[] = {root.get(), listener->get()};
        must(platform::send_packet(ends.work.ours.get(), "s", sent).has_value(), "hand over");
    }
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (ends.host_root) must(::dup2(ends.host_root.get(), 9) == 9, "host's root");
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    must(false, "exec");
    ::_exit(127);
}

namespace {

// Of the child of `first`, which is in a pid namespace: its number here.
pid_t child_of(pid_t first) {
    const std::string path =
        "/proc/" + std::to_string(first) + "/task/" + std::to_string(first) + "/children";
    for (int i = 0; i < 2000; ++i) {
        pid_t child = 0;
        if (std::ifstream(path) >> child) return child;
        ::usleep(1000);
    }
    throw std::runtime_error("the session has not started");
}

void write_maps(pid_t pid, uid_t id) {
    const std::string line = std::to_string(id) + " " + std::to_string(id) + " 1\n";
    for (const char* name : {"uid_map", "gid_map"})
        std::ofstream("/proc/" + std::to_string(pid) + "/" + name) << line;
}

}  // namespace

KeptResult Kept::run_victim(const std::string& name, std::vector<std::string> arguments) {
    const fs::path inside = workspace() / name;
    fs::copy_file(fs::path(REEVE_TESTCASES) / name, inside, fs::copy_options::overwrite_existing);
    fs::permissions(inside, fs::perms(0755));
    arguments.insert(arguments.begin(), inside.string());
    return run(arguments);
}

KeptResult Kept::run(const std::vector<std::string>& command) {
    using access::Place;
    access::Setup setup{.session = "test",
                        .home = (root_ / "home").string(),
                        .uid = id_,
                        .gid = id_,
                        .trap_reads = options_.trap_reads};
    setup.places = {{.path = "/", .kind = Place::Kind::system},
                    {.path = "/dev", .kind = Place::Kind::scratch, .continued = true},
                    {.path = "/proc", .kind = Place::Kind::scratch, .continued = true},
                    {.path = "/tmp", .kind = Place::Kind::scratch, .continued = true},
                    {.path = workspace().string(), .kind = Place::Kind::decided, .log = policy::kLogAll}};
    if (!options_.kept.empty())
        setup.places.push_back(
            {.path = workspace().string() + "/" + options_.kept, .kind = Place::Kind::system});
    std::ranges::sort(setup.places, {}, &Place::path);
    Ends ends;
    ends.control = value_of(platform::seqpacket_pair());
    ends.work = value_of(platform::seqpacket_pair());
    if (options_.connections) ends.connections = value_of(platform::seqpacket_pair());
    ends.setup = value_of(platform::sealed_memfd("setup", setup.encode()));
    ends.table = value_of(platform::sealed_memfd("table", table_));
    ends.mapped.reset(::eventfd(0, EFD_CLOEXEC));
    int pair[2];
    if (::pipe2(pair, O_CLOEXEC) != 0) give_up("pipe");
    ends.out_read.reset(pair[0]);
    ends.out_write.reset(pair[1]);
    if (options_.host_root) ends.host_root.reset(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const pid_t keeper = options_.without_keeper ? 0 : start_keeper(ends);
    ends.control.theirs.reset();
    ends.work.theirs.reset();
    ends.connections.theirs.reset();
    const auto first =
        static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0));
    if (first < 0) give_up("clone");
    if (first == 0) be_session(ends, command);
    write_maps(child_of(first), id_);
    const std::uint64_t one = 1;
    if (::write(ends.mapped.get(), &one, sizeof one) != sizeof one) give_up("eventfd");
    ends.out_write.reset();
    ends.work.ours.reset();
    if (options_.meanwhile) options_.meanwhile(keeper, ends.control.ours.get());

    KeptResult result;
    bool shut = false;
    pollfd entries[] = {{ends.out_read.get(), POLLIN, 0}, {ends.control.ours.get(), POLLIN, 0}};
    if (options_.without_keeper) entries[1].fd = -1;
    while (entries[0].fd >= 0 || entries[1].fd >= 0) {
        ::poll(entries, 2, -1);
        char buffer[65536];
        if (entries[0].revents != 0) {
            const ssize_t got = ::read(entries[0].fd, buffer, sizeof buffer);
            if (got > 0) result.output.append(buffer, static_cast<std::size_t>(got));
            if (got <= 0) entries[0].fd = -1;
        }
        if (entries[0].fd < 0 && !shut) {  // the session is over: what is left to report comes now
            ::shutdown(ends.control.ours.get(), SHUT_WR);
            shut = true;
        }
        if (entries[1].revents != 0) {
            auto packet = platform::receive_packet(ends.control.ours.get());
            if (!packet || packet->end) entries[1].fd = -1;
            if (packet && !packet->end) collect(result.reports, packet->bytes);
        }
    }
    int status = 0;
    ::waitpid(first, &status, 0);
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    ends.control.ours.reset();
    if (keeper != 0) ::waitpid(keeper, nullptr, 0);
    if (options_.connections) collect(result.connecting, ends.connections.ours);
    return result;
}

}  // namespace reeve::test
