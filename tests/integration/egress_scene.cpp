#include "tests/integration/egress_scene.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "daemon/egress/setup.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "policy/engine.hpp"

namespace reeve::test {
namespace fs = std::filesystem;
using platform::Fd;

namespace {

constexpr uid_t kNobody = 65534;

template <class T>
T value_of(platform::Result<T> result) {
    if (!result) throw std::runtime_error(result.error().text());
    return std::move(*result);
}

// In a child.
void must(bool good, const char* what) {
    if (good) return;
    std::perror(what);
    ::_exit(125);
}

std::string network_of(const std::string& rules) {
    const std::string text =
        R"({"schema": "reeve.policy/1", "id": "test", "version": 1, "network": [)" + rules + "]}";
    auto document = policy::parse_document(text, "test");
    if (!document) throw std::runtime_error("rules: " + document.error().front().message);
    const policy::Variables variables{"/home/t", "/home/t/w", "tester", "test", "/tmp"};
    auto compiled =
        policy::compile({{policy::Authority::organisation, *document}}, variables, policy::kUnverified);
    if (!compiled) throw std::runtime_error("rules: " + compiled.error().front().message);
    return compiled->network().encode();
}

// Each at its number; first out of each other's way.
void place(std::vector<int> fds) {
    const int first_free = egress::kSetupFd + static_cast<int>(fds.size());
    for (int& fd : fds) must((fd = ::fcntl(fd, F_DUPFD, first_free)) >= 0, "dup");
    for (std::size_t i = 0; i < fds.size(); ++i)
        must(::dup2(fds[i], egress::kSetupFd + static_cast<int>(i)) >= 0, "dup2");
}

}  // namespace

EgressProcess::EgressProcess(const EgressOptions& options) {
    std::string pattern = fs::temp_directory_path() / "egress-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    ::chmod(folder_.c_str(), 0755);
    std::ofstream hosts(folder_ + "/hosts");
    for (const std::string& name : options.names) hosts << "127.0.0.1 " << name << "\n";
    hosts.close();
    make_network();
    start(options);
}

EgressProcess::~EgressProcess() {
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    fs::remove_all(folder_);
}

void EgressProcess::make_network() {
    std::string failed;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) {
            failed = std::strerror(errno);
            return;
        }
        network_.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
        auto doors = platform::network::build_doors();
        if (!doors)
            failed = doors.error().text();
        else
            doors_ = std::move(*doors);
    }).join();
    if (!failed.empty()) throw std::runtime_error(failed);
}

void EgressProcess::start(const EgressOptions& options) {
    const egress::Setup setup{.session = "test",
                              .network = network_of(options.rules),
                              .host_upload = options.host_upload,
                              .session_upload = options.session_upload};
    const Fd bytes = value_of(platform::sealed_memfd("setup", setup.encode()));
    auto control = value_of(platform::seqpacket_pair()), processes = value_of(platform::seqpacket_pair());
    control_ = std::move(control.ours);
    keeper_ = std::move(processes.ours);
    const Fd program(::open(REEVE_EGRESS, O_PATH | O_CLOEXEC));
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    std::vector<int> fds{bytes.get(), control.theirs.get(), processes.theirs.get()};
    for (const Fd& door : doors_.fds) fds.push_back(door ? door.get() : null.get());
    const std::string hosts = folder_ + "/hosts";
    pid_ = ::fork();
    if (pid_ != 0) return;
    must(::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0,
         "unshare");
    must(::mount(hosts.c_str(), "/etc/hosts", nullptr, MS_BIND, nullptr) == 0, "bind hosts");
    const int kept = ::fcntl(program.get(), F_DUPFD_CLOEXEC, 64);
    place(fds);
    must(::setgroups(0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
             ::setresuid(kNobody, kNobody, kNobody) == 0,
         "give up root");
    char name[] = "reeve-egress";
    char* const arguments[] = {name, nullptr};
    char* const environment[] = {nullptr};
    ::execveat(kept, "", arguments, environment, AT_EMPTY_PATH);
    must(false, "execveat");
}

void EgressProcess::inside(const std::function<void()>& work) const {
    std::thread([&] {
        if (::setns(network_.get(), CLONE_NEWNET) == 0) work();
    }).join();
}

std::string EgressProcess::look_up(const std::string& name) const {
    Fd socket;
    inside([&] { socket.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)); });
    be_patient(socket.get());
    std::string query("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00", 12);
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t dot = std::min(name.find('.', at), name.size());
        query += static_cast<char>(dot - at);
        query += name.substr(at, dot - at);
        at = dot + 1;
    }
    query += std::string("\0\0\x01\0\x01", 5);
    sockaddr_storage anywhere;
    const socklen_t length = egress::fill({address("192.0.2.53"), 53}, anywhere);
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&anywhere), length) != 0 ||
        ::send(socket.get(), query.data(), query.size(), 0) < 0)
        return {};
    char answer[512];
    const ssize_t got = ::recv(socket.get(), answer, sizeof answer, 0);
    if (got < static_cast<ssize_t>(query.size()) + 16 || answer[7] == 0) return {};
    // One answer, and its four bytes are the last but for what EDNS adds: nothing, since the query had none.
    std::string text;
    for (ssize_t i = got - 4; i < got; ++i)
        text += (text.empty() ? "" : ".") + std::to_string(static_cast<unsigned char>(answer[i]));
    return text;
}

Fd EgressProcess::connect(const std::string& host, std::uint16_t port,
                          const std::function<void(int)>& before) const {
    const std::string literal = policy::parse_address(host) ? host : look_up(host);
    if (literal.empty()) return {};
    sockaddr_storage where;
    const socklen_t length = egress::fill({address(literal), port}, where);
    Fd socket;
    inside([&] { socket.reset(::socket(where.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
    be_patient(socket.get());
    before(socket.get());
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), length) != 0) socket.reset();
    return socket;
}

std::string EgressProcess::run_inside(const std::vector<std::string>& command) const {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return {};
    Fd out(ends[0]), in(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        must(::setns(network_.get(), CLONE_NEWNET) == 0, "setns");
        ::dup2(in.get(), STDOUT_FILENO);
        std::vector<char*> arguments;
        for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        ::execv(arguments[0], arguments.data());
        must(false, "execv");
    }
    in.reset();
    std::string printed;
    char buffer[4096];
    for (ssize_t got; (got = ::read(out.get(), buffer, sizeof buffer)) > 0;)
        printed.append(buffer, static_cast<std::size_t>(got));
    ::waitpid(child, nullptr, 0);
    return printed;
}

bool EgressProcess::receive_reports() {
    be_patient(control_.get());
    auto packet = platform::receive_packet(control_.get());
    if (!packet || packet->end) return false;
    if (packet->bytes == egress::kNoMore) {
        said_all_ = true;
        return true;
    }
    auto reports = egress::parse_reports(packet->bytes);
    if (!reports) throw std::runtime_error(reports.error().text());
    for (egress::Report& report : *reports)
        if (!report.lookup) reports_.push_back(std::move(report));
    return true;
}

egress::Report EgressProcess::report() {
    while (given_ == reports_.size())
        if (!receive_reports()) {
            ADD_FAILURE() << "no report came";
            return {};
        }
    return reports_[given_++];
}

void EgressProcess::tell(const egress::Connecting& connecting) const {
    EXPECT_TRUE(platform::send_packet(keeper_.get(), connecting.encode()));
}

int EgressProcess::end() {
    ::shutdown(control_.get(), SHUT_WR);
    while (!said_all_ && receive_reports()) continue;
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::size_t EgressProcess::resident_kib() const {
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(6));
    return 0;
}

std::size_t EgressProcess::pipes() const {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/proc/" + std::to_string(pid_) + "/fd")) {
        std::error_code gone;
        if (fs::read_symlink(entry.path(), gone).string().starts_with("pipe:")) ++count;
    }
    return count;
}

}  // namespace reeve::test
