#include "tests/integration/veil_scene.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "platform/linux/veil/mount.hpp"
#include "policy/engine.hpp"

namespace reeve::veil_test {
namespace {

using platform::Fd;

void become_person() {
    if (::setgroups(0, nullptr) != 0 || ::setresgid(kPerson, kPerson, kPerson) != 0 ||
        ::setresuid(kPerson, kPerson, kPerson) != 0)
        ::_exit(126);
}

policy::Policy compiled(const std::string& files, const std::string& mode, const std::string& home) {
    const auto text = R"({"schema": "reeve.policy/1", "id": "vendor", "mode": ")" + mode +
                      R"(", "files": [)" + files + "]}";
    auto document = policy::parse_document(text, "vendor.jsonc");
    if (!document) throw std::runtime_error(to_string(document.error()));
    auto policy = policy::compile(
        {{policy::Authority::vendor, std::move(*document)}},
        {.home = home, .workspace = home + "/work", .user = "tester", .session = "s", .tmp = "/tmp"},
        policy::kUnverified);
    if (!policy) throw std::runtime_error(to_string(policy.error()));
    return std::move(*policy);
}

// The descriptors 3 to 6, of which none may stand where another is put.
void place_descriptors(std::vector<int> fds) {
    for (int& fd : fds) fd = ::fcntl(fd, F_DUPFD, 100);
    for (std::size_t i = 0; i < fds.size(); ++i) ::dup2(fds[i], static_cast<int>(3 + i));
    ::close_range(7, ~0U, 0);
}

std::string read_all(int fd) {
    std::string text;
    char part[4096];
    for (ssize_t got; (got = ::read(fd, part, sizeof part)) > 0;)
        text.append(part, static_cast<std::size_t>(got));
    return text;
}

}  // namespace

bool can_run() {
    return ::geteuid() == 0 && fs::exists("/dev/fuse");
}

Scene::Scene(SceneOptions options) : options_(std::move(options)) {
    char name[] = "/tmp/reeve-veil-XXXXXX";
    root_ = ::mkdtemp(name);
    fs::permissions(root_, fs::perms(0755));
    for (const char* folder : {"home", "host"}) {
        fs::create_directory(root_ / folder);
        (void)!::chown((root_ / folder).c_str(), kPerson, kPerson);
    }
    outside_.reset(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
}

Scene::~Scene() {
    if (veil_ > 0) {
        ::kill(veil_, SIGKILL);
        ::waitpid(veil_, nullptr, 0);
    }
    if (reader_.joinable()) reader_.join();
    (void)!::chdir("/");
    ::setns(outside_.get(), CLONE_NEWNS);
    fs::remove_all(root_);
}

std::string Scene::home(const std::string& path) const {
    return (root_ / "home").string() + (path.empty() ? "" : "/" + path);
}

fs::path Scene::host(const std::string& path) const {
    return root_ / (veil_ == 0 ? "home" : "host") / path;
}

void Scene::make_directory(const std::string& path) const {
    fs::path at = host();
    for (const auto& part : fs::path(path)) {
        at /= part;
        if (fs::create_directory(at)) (void)!::chown(at.c_str(), kPerson, kPerson);
    }
}

void Scene::write(const std::string& path, const std::string& text, unsigned mode) const {
    make_directory(fs::path(path).parent_path());
    const Fd file(::open(host(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    ASSERT_TRUE(file);
    ASSERT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::fchmod(file.get(), mode);
    (void)!::fchown(file.get(), kPerson, kPerson);
}

void Scene::start() {
    const auto policy = compiled(options_.files, options_.mode, home());
    access::Setup setup{.session = "s",
                        .home = home(),
                        .places = {},
                        .uid = kPerson,
                        .gid = kPerson,
                        .keeper = options_.keeper};
    setup.places.push_back({.path = home(), .kind = access::Place::Kind::veiled});
    for (auto place : options_.more) {
        place.path = home(place.path);
        setup.places.push_back(place);
    }
    std::ranges::sort(setup.places, {}, &access::Place::path);
    setup.canaries = policy.canaries();
    for (const auto& file : options_.granted) setup.files.push_back(home(file));
    const auto bytes = policy.table_bytes();
    const auto setup_fd = platform::sealed_memfd("setup", setup.encode()).value();
    const auto table_fd =
        platform::sealed_memfd("table", {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).value();
    auto pair = platform::seqpacket_pair().value();
    auto mount = platform::veil::make_mount(kPerson, kPerson);
    ASSERT_TRUE(mount) << mount.error().text();
    veil_ = ::fork();
    if (veil_ == 0) {
        place_descriptors({setup_fd.get(), table_fd.get(), pair.theirs.get(), mount->fuse.get()});
        if (options_.descriptors != 0) {
            const struct rlimit limit { .rlim_cur = options_.descriptors, .rlim_max = options_.descriptors };
            ::setrlimit(RLIMIT_NOFILE, &limit);
        }
        become_person();
        ::execl(REEVE_VEIL, "reeve-veil", nullptr);
        ::_exit(127);
    }
    control_ = std::move(pair.ours);
    mount->fuse.reset();
    reader_ = std::thread([this] { take_reports(); });
    // The host's side stays at "host"; the home becomes the veil's.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount((root_ / "home").c_str(), (root_ / "host").c_str(), nullptr, MS_BIND, nullptr), 0);
    const fs::path all = root_ / "all";
    fs::create_directory(all);
    ASSERT_EQ(
        ::syscall(SYS_move_mount, mount->mount.get(), "", AT_FDCWD, all.c_str(), MOVE_MOUNT_F_EMPTY_PATH), 0);
    ASSERT_EQ(::mount((all.string() + home()).c_str(), home().c_str(), nullptr, MS_BIND, nullptr), 0)
        << strerror(errno);
    ASSERT_EQ(::umount2(all.c_str(), MNT_DETACH), 0);
}

void Scene::bind(const std::string& path) const {
    ASSERT_EQ(::mount(host(path).c_str(), home(path).c_str(), nullptr, MS_BIND, nullptr), 0)
        << strerror(errno);
}

Output Scene::run(const std::string& script) const {
    int out[2], err[2];
    EXPECT_EQ(::pipe2(out, O_CLOEXEC) | ::pipe2(err, O_CLOEXEC), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        become_person();
        ::dup2(out[1], 1);
        ::dup2(err[1], 2);
        if (::chdir(home().c_str()) != 0) ::_exit(125);
        ::setenv("HOME", home().c_str(), 1);
        ::setenv("LC_ALL", "C", 1);
        ::execl("/bin/sh", "sh", "-c", script.c_str(), nullptr);
        ::_exit(127);
    }
    const Fd out_read(out[0]), err_read(err[0]);
    Fd(out[1]).reset();
    Fd(err[1]).reset();
    Output output;
    output.out = read_all(out_read.get());  // what these say is short: the other pipe does not fill
    output.err = read_all(err_read.get());
    int status = 0;
    ::waitpid(child, &status, 0);
    output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return output;
}

int Scene::as_person(const std::function<int()>& body) const {
    const pid_t child = ::fork();
    if (child == 0) {
        become_person();
        ::umask(022);
        if (::chdir(home().c_str()) != 0) ::_exit(errno);
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Reports Scene::finish() {
    ::shutdown(control_.get(), SHUT_WR);
    reader_.join();
    EXPECT_TRUE(reports_.complete);
    return std::move(reports_);
}

void Scene::take_reports() {
    while (true) {
        auto packet = platform::receive_packet(control_.get());
        if (!packet || packet->end) break;
        if (packet->bytes == access::kNoMore) {
            reports_.complete = true;
            continue;
        }
        const auto parsed = access::parse_reports(packet->bytes);
        if (!parsed) {
            ADD_FAILURE() << parsed.error().text();
            break;
        }
        for (const auto& report : *parsed)
            reports_.all.push_back({.operation = std::string(report.operation),
                                    .path = std::string(report.path),
                                    .target = std::string(report.target),
                                    .rule = std::string(report.rule),
                                    .exe = std::string(report.exe),
                                    .action = report.action,
                                    .verdict = report.verdict,
                                    .by_rule = report.by_rule,
                                    .directory = report.directory,
                                    .canary = report.canary,
                                    .error = report.error,
                                    .pid = report.pid,
                                    .count = report.count});
    }
}

int Scene::wait_for_veil() {
    int status = -1;
    ::waitpid(std::exchange(veil_, -1), &status, 0);
    return status;
}

const Seen* Reports::find(const Wanted& wanted) const {
    for (const auto& seen : all) {
        if ((!wanted.operation || *wanted.operation == seen.operation) &&
            (!wanted.path || *wanted.path == seen.path) &&
            (!wanted.target || *wanted.target == seen.target) &&
            (!wanted.rule || *wanted.rule == seen.rule) &&
            (!wanted.action || *wanted.action == seen.action) &&
            (!wanted.error || *wanted.error == seen.error) &&
            (!wanted.canary || *wanted.canary == seen.canary))
            return &seen;
    }
    return nullptr;
}

std::uint64_t Reports::count(const Wanted& wanted) const {
    std::uint64_t sum = 0;
    for (const auto& seen : all) {
        const Reports one{.all = {seen}};
        if (one.find(wanted) != nullptr) sum += seen.count;
    }
    return sum;
}

std::string Reports::text() const {
    std::string text;
    for (const auto& seen : all)
        text += seen.operation + " " + seen.path + (seen.target.empty() ? "" : " -> " + seen.target) + " " +
                std::string(policy::name_of(seen.action)) + " " + std::string(policy::name_of(seen.verdict)) +
                " " + seen.rule + (seen.canary ? " canary" : "") + " error " + std::to_string(seen.error) +
                " x" + std::to_string(seen.count) + " by " + std::to_string(seen.pid) + " " + seen.exe + "\n";
    return text;
}

}  // namespace reeve::veil_test
