#include "tests/escape/driver.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace reeve::test {
namespace fs = std::filesystem;
using namespace platform::confine;
using platform::Fd;

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void give_up(const std::string& what) {
    throw std::runtime_error(what + ": " + std::generic_category().message(errno));
}

std::string read_all(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::map<std::string, std::string> snapshot(const fs::path& root) {
    std::map<std::string, std::string> entries;
    auto note = [&](const fs::path& path) {
        struct stat s {};
        if (::lstat(path.c_str(), &s) != 0) return;
        std::ostringstream text;
        text << std::oct << s.st_mode << std::dec << ' ' << s.st_ino << ' ' << s.st_uid << ':' << s.st_gid
             << ' ' << s.st_nlink << ' ' << (S_ISDIR(s.st_mode) ? 0 : s.st_size) << ' ' << s.st_mtim.tv_sec
             << '.' << s.st_mtim.tv_nsec << ' ' << s.st_ctim.tv_sec << '.' << s.st_ctim.tv_nsec;
        if (S_ISREG(s.st_mode)) text << ' ' << std::hash<std::string>{}(read_all(path));
        if (S_ISLNK(s.st_mode)) text << ' ' << fs::read_symlink(path).string();
        entries[path.string()] = text.str();
    };
    note(root);
    for (const auto& entry : fs::recursive_directory_iterator(root)) note(entry.path());
    return entries;
}

Person::Person() {
    static std::atomic<unsigned> next = 0;
    // High, so that they are nobody's; of this process, so that tests in parallel are different people.
    const auto id = static_cast<uid_t>(1'700'000'000 + (::getpid() % 1'000'000) * 100 + (next++ % 100));
    ids_ = {.uid = id, .gid = id, .groups = {id}, .name = "tester"};
    std::string name = "/var/tmp/reeve-person-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) give_up("mkdtemp");
    root_ = name;
    if (::chmod(name.c_str(), 0755) != 0) give_up("chmod");
    make_directory(home());
    fs::permissions(home(), fs::perms::owner_all);
    write(secret(), "PRIVATE KEY of nobody\n", 0600);
    fs::permissions(home() / ".ssh", fs::perms::owner_all);
    write(home() / ".bashrc", "# the person's\n");
    write(home() / ".gitconfig", "[user]\n\tname = Tester\n\temail = tester@example.com\n");
    make_directory(workspace());
    remember();
}

Person::~Person() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
}

void Person::make_directory(const fs::path& path) const {
    if (fs::exists(path)) return;
    if (path.parent_path() != root_) make_directory(path.parent_path());
    fs::create_directory(path);
    if (::chown(path.c_str(), ids_.uid, ids_.gid) != 0) give_up("chown");
}

void Person::write(const fs::path& path, const std::string& text, unsigned mode) const {
    make_directory(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    if (::chown(path.c_str(), ids_.uid, ids_.gid) != 0 || ::chmod(path.c_str(), mode) != 0) give_up("chown");
}

namespace {
std::map<std::string, std::string> home_without_workspace(const Person& person) {
    auto entries = snapshot(person.home());
    const std::string workspace = person.workspace().string();
    std::erase_if(entries, [&](const auto& entry) { return entry.first.starts_with(workspace); });
    return entries;
}
}  // namespace

void Person::remember() {
    before_ = home_without_workspace(*this);
}
bool Person::unchanged() const {
    return before_ == home_without_workspace(*this);
}

std::string Outcome::text() const {
    std::ostringstream text;
    text << (started ? "started" : "not started") << ", exit code " << exit_code << ", signal " << signal
         << (timed_out ? ", timed out" : "");
    if (!failed_step.empty()) text << ", step " << failed_step << ": " << error.text();
    text << "\n--- output\n" << output << "--- errors\n" << errors;
    return text.str();
}

std::string confine_program(bool with_holes) {
    return with_holes ? REEVE_CONFINE_HOLES : REEVE_CONFINE;
}

Spawner& spawner(bool with_holes) {
    static std::unique_ptr<Spawner> made[2];
    auto& one = made[with_holes ? 1 : 0];
    if (!one) {
        auto result = Spawner::create({.confine = confine_program(with_holes)});
        if (!result) throw std::runtime_error(result.error().text());
        one = std::move(*result);
    }
    return *one;
}

Zone zone(const std::string& path, bool writable, bool executable) {
    struct stat s {};
    if (::stat(path.c_str(), &s) != 0) give_up(path);
    return {.path = path,
            .device = s.st_dev,
            .inode = s.st_ino,
            .directory = S_ISDIR(s.st_mode),
            .writable = writable,
            .executable = executable};
}

Plan default_plan(const Person& person) {
    Plan plan;
    static std::atomic<unsigned> next = 0;
    plan.session = "test-" + std::to_string(::getpid()) + "-" + std::to_string(next++);
    plan.person = person.ids();
    for (const char* path : {"/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"}) {
        if (!fs::exists(path)) continue;
        if (fs::is_symlink(path))
            plan.links.push_back({path, fs::read_symlink(path).string()});
        else
            plan.zones.push_back(zone(path, false));
    }
    for (const char* path : {"/etc/alternatives", "/etc/ssl", "/etc/ld.so.cache", "/etc/passwd", "/etc/group",
                             "/etc/nsswitch.conf", "/etc/localtime"}) {
        const fs::path real = fs::exists(path) ? fs::canonical(path) : fs::path();
        if (real == path) plan.zones.push_back(zone(path, false));
    }
    const std::string home = person.home().string();
    plan.private_directories = {
        {.path = home}, {.path = "/tmp", .mode = 01777}, {.path = "/run", .mode = 0755}};
    plan.zones.push_back(zone(person.workspace().string(), true));
    plan.working_directory = person.workspace().string();
    plan.environment = {"PATH=/usr/local/bin:/usr/bin:/bin",
                        "HOME=" + home,
                        "USER=tester",
                        "LOGNAME=tester",
                        "LANG=C.UTF-8",
                        "TMPDIR=/tmp",
                        "TERM=xterm"};
    return plan;
}

struct Session::State {
    const Person& person;
    Options options;
    Child child = {};
    Fd input = {}, output = {}, errors = {}, terminal = {};
    Outcome outcome = {};
    bool exited = false, closed = false;
    int stops = 0;
    Clock::time_point end = {};

    void take(Message message) {
        if (auto* m = std::get_if<StepDone>(&message)) outcome.steps.push_back(*m);
        if (auto* m = std::get_if<StepFailed>(&message)) {
            outcome.failed_step = m->step;
            outcome.error = m->error;
        }
        if (auto* m = std::get_if<Mounted>(&message)) outcome.mounted.push_back(std::move(*m));
        if (auto* m = std::get_if<Started>(&message)) {
            outcome.started = true;
            terminal = std::move(m->terminal);
        }
        if (std::get_if<Stopped>(&message)) ++stops;
        if (auto* m = std::get_if<Exited>(&message)) {
            exited = true;
            if (WIFEXITED(m->status)) outcome.exit_code = WEXITSTATUS(m->status);
            if (WIFSIGNALED(m->status)) outcome.signal = WTERMSIG(m->status);
        }
        if (std::get_if<Closed>(&message)) closed = true;
    }

    // Reads what is there; closes the descriptor at its end.
    static void drain(Fd& fd, std::string& into) {
        char buffer[65536];
        const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
        if (got > 0)
            into.append(buffer, static_cast<std::size_t>(got));
        else
            fd.reset();
    }

    // One round of events, until `done` or the deadline. False at the deadline.
    bool pump(const std::function<bool()>& done) {
        while (!done()) {
            const auto left =
                std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
            pollfd events[] = {{closed ? -1 : child.link.fd(), POLLIN, 0},
                               {output.get(), POLLIN, 0},
                               {errors.get(), POLLIN, 0},
                               {terminal.get(), POLLIN, 0}};
            if (left <= 0 || ::poll(events, 4, static_cast<int>(left)) == 0) {
                outcome.timed_out = true;
                return false;
            }
            if (events[1].revents != 0) drain(output, outcome.output);
            if (events[2].revents != 0) drain(errors, outcome.errors);
            if (events[3].revents != 0) drain(terminal, outcome.output);
            if (events[0].revents == 0) continue;
            auto message = child.link.receive();
            if (!message) throw std::runtime_error(message.error().text());
            if (*message) take(std::move(**message));
        }
        return true;
    }
};

Session::Session(const Person& person, Options options) : state_(new State{person, std::move(options)}) {}
Session::~Session() = default;

void Session::start(std::vector<std::string> command) {
    State& s = *state_;
    s.end = Clock::now() + s.options.deadline;
    Plan plan = default_plan(s.person);
    plan.command = std::move(command);
    plan.without = s.options.without;
    StartFds fds;
    if (s.options.terminal) {
        plan.terminal = {.standard_input = true, .standard_output = true, .standard_error = true};
    } else {
        Fd* ends[3] = {&s.input, &s.output, &s.errors};
        for (int i = 0; i < 3; ++i) {
            int pair[2];
            if (::pipe2(pair, O_CLOEXEC) != 0) give_up("pipe2");
            fds.streams[i].reset(pair[i == 0 ? 0 : 1]);
            ends[i]->reset(pair[i == 0 ? 1 : 0]);
        }
    }
    if (s.options.change) s.options.change(plan);
    if (s.options.add) s.options.add(fds);
    auto child = spawner(!plan.without.empty()).start(plan, std::move(fds));
    if (!child) throw std::runtime_error(child.error().text());
    s.child = std::move(*child);
}

void Session::type(const std::string& text) {
    State& s = *state_;
    if (s.options.terminal) s.pump([&] { return s.terminal || s.closed; });
    const int fd = s.options.terminal ? s.terminal.get() : s.input.get();
    if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) give_up("write");
}

void Session::close_input() {
    state_->input.reset();
}

bool Session::wait_for(const std::string& text) {
    State& s = *state_;
    return s.pump([&] { return s.outcome.output.find(text) != std::string::npos || s.exited || s.closed; }) &&
           s.outcome.output.find(text) != std::string::npos;
}

bool Session::wait_for_stop() {
    State& s = *state_;
    const int before = s.stops;
    return s.pump([&] { return s.stops > before || s.exited || s.closed; }) && s.stops > before;
}

Outcome Session::finish() {
    State& s = *state_;
    s.pump([&] { return s.exited || s.closed; });
    s.pump([&] { return !s.output && !s.errors && !s.terminal; });
    s.child.link = Link();  // ends it
    if (!s.outcome.timed_out) {
        pollfd gone{s.child.pidfd.get(), POLLIN, 0};
        s.outcome.timed_out = ::poll(&gone, 1, 10'000) == 0;
    }
    return std::move(s.outcome);
}

Outcome Session::run(std::vector<std::string> command, const std::string& input) {
    start(std::move(command));
    if (!input.empty()) type(input);
    close_input();
    return finish();
}

Link& Session::link() {
    return state_->child.link;
}
pid_t Session::pid() const {
    return state_->child.pid;
}
int Session::pidfd() const {
    return state_->child.pidfd.get();
}
int Session::terminal() const {
    return state_->terminal.get();
}
const Outcome& Session::outcome() const {
    return state_->outcome;
}

Outcome Session::attack(const std::string& name, std::vector<std::string> arguments) {
    const fs::path inside = state_->person.workspace() / ("attack_" + name);
    fs::copy_file(fs::path(REEVE_ATTACKS) / ("attack_" + name), inside, fs::copy_options::overwrite_existing);
    fs::permissions(inside, fs::perms::owner_all | fs::perms::group_read | fs::perms::others_read |
                                fs::perms::group_exec | fs::perms::others_exec);
    arguments.insert(arguments.begin(), inside.string());
    return run(std::move(arguments));
}

}  // namespace reeve::test
