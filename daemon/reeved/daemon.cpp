#include "daemon/reeved/daemon.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fstream>
#include <optional>

#include "daemon/api/calls.hpp"
#include "daemon/audit/checkpoint_key.hpp"
#include "daemon/audit/segment.hpp"
#include "daemon/reeved/device.hpp"
#include "daemon/reeved/log_recorder.hpp"
#include "daemon/reeved/self_test.hpp"
#include "daemon/reeved/server.hpp"
#include "daemon/reeved/services.hpp"

namespace reeve::daemon {

namespace confine = platform::confine;
using platform::Fd;
using platform::os_error;
using platform::Result;
using platform::Status;

namespace {
// How long sessions may take to end when the daemon does; then they end with it, by their links.
constexpr std::chrono::seconds kPatience{10};

// A companion that is not installed is not used; doctor says so.
confine::Programs programs_in(const std::string& directory) {
    const auto there = [&](const char* name) {
        const std::string path = directory + "/" + name;
        return ::access(path.c_str(), X_OK) == 0 ? path : std::string();
    };
    return {.confine = directory + "/reeve-confine",
            .keeper = there("reeve-keeper"),
            .veil = there("reeve-veil"),
            .egress = there("reeve-egress")};
}

// Whose process reeve-egress is: the package makes this user. In no group but its own.
std::optional<confine::Person> egress_user() {
    auto account = session::find_account(std::string("reeve-egress"));
    if (!account) return std::nullopt;
    account->ids.groups = {account->ids.gid};
    return std::move(account->ids);
}
}  // namespace

struct Daemon::Parts {
    Settings settings;
    platform::ServiceManager manager;
    confine::Support support = confine::probe_support();
    confine::Programs programs;
    std::optional<confine::Person> egress = egress_user();
    // Destroyed from the bottom up: what uses comes after what is used.
    std::unique_ptr<confine::Spawner> spawner;
    std::unique_ptr<platform::EventLoop> loop;
    Fd signals;
    std::shared_ptr<const attestation::Signer> key;
    std::unique_ptr<audit::Log> log;
    std::unique_ptr<audit::LogSink> sink;
    std::unique_ptr<audit::Watcher> watcher;
    std::unique_ptr<LogRecorder> recorder;
    std::unique_ptr<session::People> people;
    std::unique_ptr<session::Sessions> sessions;
    std::unique_ptr<PostureService> posture;
    std::unique_ptr<LogReaders> readers;
    std::unique_ptr<Services> services;
    std::unique_ptr<Server> server;
    bool stopping = false;

    session::PolicySources sources() const {
        return {.vendor = settings.vendor_policy, .directory = settings.policy_directory};
    }
    session::Available available() const {
        const bool keeper =
            support.notify && !support.ptrace_refused && support.landlock_abi > 0 && !programs.keeper.empty();
        return {.keeper = keeper,
                .veil = support.fuse && !programs.veil.empty(),
                .egress = egress && !programs.egress.empty()};
    }
    Status open_log(const std::shared_ptr<session::Policies>& policies, const std::string& device);
    Status open_key(int state);
    Status watch_signals();
    void reload();
    void unwritable(const platform::Error& error);
    void reports_broken(const std::string& session, const platform::Error& error);
    void stop();
    void note(audit::Action action, const std::string& resource, audit::Outcome outcome,
              std::string_view reason = {});
};

void Daemon::Parts::note(audit::Action action, const std::string& resource, audit::Outcome outcome,
                         std::string_view reason) {
    std::vector<audit::Detail> details;
    if (!reason.empty()) details.push_back({"reason", reason});
    const bool policy = action == audit::Action::kPolicyLoaded || action == audit::Action::kPolicyRefused;
    log->append({.action = action,
                 .resource = resource,
                 .resource_type = policy ? audit::ResourceType::kPolicy : audit::ResourceType::kDevice,
                 .outcome = outcome,
                 .details = details});
}

Status Daemon::Parts::open_key(int state) {
    const std::string base = settings.state_directory + "/";
    auto file = attestation::FileKey::load_or_create(base + "device-key.pem");
    if (!file)
        return platform::error("open the device key", base + "device-key.pem", file.error().detail,
                               "see the threat model on a key that is not to be used");
    key = std::move(*file);
    // For those who verify the log without the daemon.
    const std::string name = api::kPublicKeyFile;
    const Fd jwk(::openat(state, name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    const std::string text = key->public_key().jwk() + "\n";
    if (!jwk || ::write(jwk.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return os_error("write", base + name);
    return {};
}

Status Daemon::Parts::open_log(const std::shared_ptr<session::Policies>& policies,
                               const std::string& device) {
    auto state = audit::open_directory(settings.state_directory, 0700);
    if (!state) return std::unexpected(state.error());
    auto directory = audit::open_directory(settings.log_directory);
    if (!directory) return std::unexpected(directory.error());
    if (auto s = open_key(state->get()); !s) return s;
    Fd for_readers(::fcntl(directory->get(), F_DUPFD_CLOEXEC, 0));
    if (!for_readers) return os_error("keep the log's directory", settings.log_directory);
    const policy::AuditSettings& wanted = policies->settings().audit;
    audit::LogOptions options;
    options.max_size = wanted.max_size.value_or(0);
    options.keep = wanted.keep.value_or(std::chrono::seconds(0));
    options.boot_id = boot_id();
    options.self = {.device_id = device, .policy_id = policies->id()};
    auto opened = audit::Log::open(
        std::move(*directory), std::move(*state), std::move(options), audit::sign_with(key),
        [this](const platform::Error& error) { loop->post([this, error] { unwritable(error); }); });
    if (!opened) return std::unexpected(opened.error());
    log = std::move(*opened);
    readers = std::make_unique<LogReaders>(*loop, *log, std::move(for_readers));
    return {};
}

// DESIGN section 9, "disk full, log unwritable": as the policy of each session says.
void Daemon::Parts::unwritable(const platform::Error& error) {
    spdlog::critical("{}", error.text());
    for (session::Session* running : sessions->all()) {
        const auto policy = sessions->policy_of(running->facts().session);
        if (policy->settings().audit.on_full.value_or(policy::OnFull::end_session) ==
            policy::OnFull::end_session)
            running->end("the audit log cannot be written");
    }
}

// What is not on record does not happen: its session ends.
void Daemon::Parts::reports_broken(const std::string& session, const platform::Error& error) {
    spdlog::error("session {}: {}", session, error.text());
    if (session::Session* running = sessions->find(session)) running->end(error.text());
}

void Daemon::Parts::reload() {
    (void)manager.reloading();
    auto policies = session::Policies::load(sources(), available());
    if (policies) {
        sessions->use(*policies);
        note(audit::Action::kPolicyLoaded, (*policies)->id(), audit::Outcome::kAllowed);
        spdlog::info("policies read again: {}", (*policies)->id());
    } else {
        note(audit::Action::kPolicyRefused, settings.policy_directory, audit::Outcome::kDenied,
             policies.error().why);
        spdlog::error("the policies that held go on holding: {}", policies.error().text());
    }
    (void)manager.ready("policies " + sessions->policies()->id());
}

void Daemon::Parts::stop() {
    if (stopping) return loop->stop();
    stopping = true;
    (void)manager.stopping();
    spdlog::info("ending {} sessions", sessions->all().size());
    server->stop_listening();
    for (session::Session* running : sessions->all()) running->end("the daemon was stopped");
    loop->after(kPatience, [this] { loop->stop(); });
    struct Wait {
        static void until_empty(Parts& parts) {
            if (parts.sessions->empty()) return parts.loop->stop();
            parts.loop->after(std::chrono::milliseconds(10), [&parts] { until_empty(parts); });
        }
    };
    Wait::until_empty(*this);
}

Status Daemon::Parts::watch_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
    signals.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!signals) return os_error("wait for signals", "");
    return loop->watch(signals.get(), EPOLLIN, [this](std::uint32_t) {
        signalfd_siginfo info{};
        while (::read(signals.get(), &info, sizeof info) == sizeof info)
            info.ssi_signo == SIGHUP ? reload() : stop();
    });
}

Daemon::Daemon(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Daemon::~Daemon() {
    if (parts_->log) parts_->note(audit::Action::kDaemonStop, "reeved", audit::Outcome::kAllowed);
}

Result<std::unique_ptr<Daemon>> Daemon::create(Settings settings, platform::ServiceManager manager) {
    auto parts = std::make_unique<Parts>();
    Parts& p = *parts;
    p.settings = std::move(settings);
    p.manager = std::move(manager);
    // Blocked before the spawner is forked and before any thread: none of them is interrupted by these.
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&set, signal);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    ::signal(SIGPIPE, SIG_IGN);

    p.programs = programs_in(p.settings.libexec_directory);
    auto spawner = confine::Spawner::create(p.programs);
    if (!spawner) return std::unexpected(spawner.error());
    p.spawner = std::move(*spawner);
    auto loop = platform::EventLoop::create();
    if (!loop) return std::unexpected(loop.error());
    p.loop = std::move(*loop);
    auto policies = session::Policies::load(p.sources(), p.available());
    if (!policies) return std::unexpected(policies.error());
    const std::string device = p.settings.device_id.empty() ? device_id() : p.settings.device_id;
    if (auto s = p.open_log(*policies, device); !s) return std::unexpected(s.error());

    p.sink = std::make_unique<audit::LogSink>(*p.log);
    audit::WatcherOptions watching;
    watching.broken = [&p](const std::string& session, const platform::Error& error) {
        p.loop->post([&p, session, error] { p.reports_broken(session, error); });
    };
    auto watcher = audit::Watcher::start(*p.sink, std::move(watching));
    if (!watcher) return std::unexpected(watcher.error());
    p.watcher = std::move(*watcher);
    p.recorder = std::make_unique<LogRecorder>(*p.log, *p.watcher, device, p.settings.user_domain);
    p.people = std::make_unique<session::People>(*p.loop);
    p.sessions = std::make_unique<session::Sessions>(*p.loop, *p.spawner, *p.recorder);
    if (auto s = p.sessions->watch(); !s) return std::unexpected(s.error());
    p.sessions->use(*policies);
    if (p.available().egress) p.sessions->use_egress(*p.egress);
    auto files = platform::posture::RootedFileSystem::open("/");
    if (!files) return std::unexpected(files.error());
    p.posture = std::make_unique<PostureService>(
        *p.loop, std::move(*files), p.settings.libexec_directory + "/reeve-probe",
        self_test(*p.spawner, p.settings.libexec_directory, p.settings.run_directory));
    p.services = std::make_unique<Services>(Services{.settings = p.settings,
                                                     .loop = *p.loop,
                                                     .log = *p.log,
                                                     .people = *p.people,
                                                     .sessions = *p.sessions,
                                                     .spawner = *p.spawner,
                                                     .watcher = *p.watcher,
                                                     .readers = *p.readers,
                                                     .posture = *p.posture,
                                                     .key = p.key,
                                                     .support = p.support,
                                                     .available = p.available(),
                                                     .device_id = device});
    if (auto s = p.watch_signals(); !s) return std::unexpected(s.error());
    auto server = Server::listen(*p.loop, p.settings.run_directory + "/reeve.sock",
                                 [&services = *p.services](const Client& client, api::Message message) {
                                     dispatch(services, client, std::move(message));
                                 });
    if (!server) return std::unexpected(server.error());
    p.server = std::move(*server);
    return std::unique_ptr<Daemon>(new Daemon(std::move(parts)));
}

Status Daemon::run() {
    Parts& p = *parts_;
    p.note(audit::Action::kDaemonStart, std::string("reeved ") + REEVE_VERSION, audit::Outcome::kAllowed);
    p.note(audit::Action::kPolicyLoaded, p.sessions->policies()->id(), audit::Outcome::kAllowed);
    (void)p.manager.ready("policies " + p.sessions->policies()->id());
    spdlog::info("reeved {} listens at {}/reeve.sock, policies {}", REEVE_VERSION, p.settings.run_directory,
                 p.sessions->policies()->id());
    return p.loop->run();
}

}  // namespace reeve::daemon
