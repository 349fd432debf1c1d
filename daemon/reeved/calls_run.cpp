#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "daemon/api/run_request.hpp"
#include "daemon/reeved/services.hpp"
#include "daemon/session/environment.hpp"
#include "platform/linux/memfd.hpp"

namespace reeve::daemon {
namespace {

using platform::error;
using platform::Fd;
using platform::os_error;
using platform::Result;

// All of a sealed memfd. Its size is looked at first: who made it could have made it of any size.
Result<std::string> read_sealed(const Fd& memfd, std::size_t most, const std::string& what) {
    struct stat status {};
    if (::fstat(memfd.get(), &status) != 0) return os_error("look at " + what, "");
    if (status.st_size < 0 || static_cast<std::uint64_t>(status.st_size) > most)
        return error("take " + what, "", "it is longer than " + std::to_string(most) + " bytes");
    return platform::read_memfd(memfd.get(), true);
}

// An anonymous pipe, and the right end of it. A named one, a socket or a file would be a way out that no policy sees.
platform::Status check_stream(const Fd& stream, int number) {
    struct stat status {};
    char name[64];
    const std::string link = "/proc/self/fd/" + std::to_string(stream.get());
    const ssize_t length = ::readlink(link.c_str(), name, sizeof name);
    const int flags = ::fcntl(stream.get(), F_GETFL);
    if (::fstat(stream.get(), &status) != 0 || length < 0 || flags < 0)
        return os_error("look at standard stream", std::to_string(number));
    const bool anonymous = S_ISFIFO(status.st_mode) &&
                           std::string_view(name, static_cast<std::size_t>(length)).starts_with("pipe:[");
    if (!anonymous || (flags & O_ACCMODE) != (number == 0 ? O_RDONLY : O_WRONLY))
        return error("take over standard stream", std::to_string(number),
                     "it is not the right end of an anonymous pipe", "reeve run makes the pipes itself");
    return {};
}

// For whom the session is to be. A person is themselves; root names one.
Result<session::Who> whose(const Peer& peer, const std::string& user) {
    if (!peer.is_root()) return peer.uid;
    if (user.empty())
        return error("start a session", "", "uid 0 is not a person", "name one: reeve run --user NAME");
    return user;
}

Result<session::Start> start_of(const Peer& peer, session::Person person, api::RunRequest request) {
    if (!peer.is_root() && !request.user.empty() && request.user != person.ids.name)
        return error("start a session for", request.user, "only root may start one for somebody else",
                     "leave --user out");
    auto working_directory = session::directory_of(request.working_directory, "the working directory");
    if (!working_directory) return std::unexpected(working_directory.error());
    session::Start start{.person = std::move(person), .working_directory = std::move(*working_directory)};
    if (request.workspace) {
        auto workspace = session::directory_of(request.workspace, "the workspace");
        if (!workspace) return std::unexpected(workspace.error());
        start.workspace = std::move(*workspace);
    }
    auto environment = read_sealed(request.environment, api::kMaxEnvironment, "the environment");
    if (!environment) return std::unexpected(environment.error());
    start.environment = session::split_environment(*environment);
    if (request.policy) {
        auto policy = read_sealed(request.policy, api::kMaxPolicy, "the policy");
        if (!policy) return std::unexpected(policy.error());
        start.policy_text = std::move(*policy);
        start.policy_name = std::move(request.policy_name);
    }
    for (int i = 0; i < 3; ++i) {
        if (request.streams[i])
            if (auto s = check_stream(request.streams[i], i); !s) return std::unexpected(s.error());
        start.streams[i] = std::move(request.streams[i]);
    }
    start.command = std::move(request.command);
    start.pass_environment = std::move(request.pass_environment);
    start.agent = std::move(request.agent);
    start.terminal = {.standard_input = request.terminal[0],
                      .standard_output = request.terminal[1],
                      .standard_error = request.terminal[2],
                      .rows = request.rows,
                      .columns = request.columns};
    start.report_steps = request.report_steps;
    return start;
}

// What one session and its client have in common. The client's connection holds it by its callbacks.
struct Run {
    std::weak_ptr<Connection> client;
    std::string session, agent, policy, note;
    bool failed = false;
    platform::Error error;
};

session::Listener listener_of(const std::shared_ptr<Run>& run) {
    const auto tell = [run](const api::Json& event, std::span<const int> fds = {}) {
        if (const auto client = run->client.lock()) client->event(event, fds);
    };
    session::Listener listener;
    listener.step = [tell](const auto& step) {
        tell({{"event", "step"}, {"step", step.step}, {"nanoseconds", step.nanoseconds}});
    };
    listener.started = [run, tell](const Fd& terminal) {
        const int fd = terminal.get();
        api::Json event{
            {"event", "started"}, {"session", run->session}, {"agent", run->agent}, {"policy", run->policy}};
        if (!run->note.empty()) event["note"] = run->note;
        tell(event, std::span(&fd, terminal ? 1 : 0));
    };
    listener.stopped = [tell](int signal) { tell({{"event", "stopped"}, {"signal", signal}}); };
    listener.finished = [tell](int status) { tell({{"event", "finished"}, {"status", status}}); };
    listener.failed = [run](const std::string& step, const platform::Error& failure) {
        run->failed = true;
        run->error = failure;
        run->error.tried = "start the session, step " + step + ": " + run->error.tried;
    };
    listener.ended = [run](const session::End& end) {
        const auto client = run->client.lock();
        if (!client) return;
        if (run->failed) return client->fail(run->error);
        if (!end.failure.empty())
            return client->fail(error("go on with the session", run->session, "it was ended: " + end.failure,
                                      "see reeve log --session " + run->session));
        client->done({{"status", end.status}, {"session", run->session}});
    };
    return listener;
}

// What a client may say while its command runs.
platform::Status obey(session::Session& session, const api::Message& message) {
    api::Members members(message.body, "what the client says");
    const std::string call = members.required_string("call");
    const auto signal = call == "signal" ? members.integer("signal", 0, 1, NSIG - 1) : 0;
    if (auto s = members.finish(); !s) return s;
    if (!message.fds.empty()) return error("make the call", call, "it takes no descriptors");
    if (call == "signal") return session.signal(static_cast<int>(signal));
    if (call != "drained")
        return error("make the call", call, "a session is going on", "use another connection");
    session.release();
    return {};
}

// Who was refused what is news as well.
void refuse(Services& services, const Client& client, const std::vector<std::string>& command,
            const platform::Error& failed) {
    const std::string reason = failed.text().substr(0, 1024);  // a policy's errors can fill pages
    const std::array details{
        audit::Detail{"command", command.empty() ? std::string_view() : std::string_view(command[0])},
        audit::Detail{"caller_uid", std::uint64_t{client->peer().uid}}, audit::Detail{"reason", reason}};
    services.log.append({.action = audit::Action::kSessionStart,
                         .resource_type = audit::ResourceType::kSession,
                         .outcome = audit::Outcome::kDenied,
                         .details = details});
    client->fail(failed);
}

void run_for(Services& services, const Client& client, Result<session::Person> person,
             api::RunRequest request) {
    const std::vector<std::string> command = request.command;
    if (!person) return refuse(services, client, command, person.error());
    auto start = start_of(client->peer(), std::move(*person), std::move(request));
    if (!start) return refuse(services, client, command, start.error());
    auto run = std::make_shared<Run>();
    run->client = client;
    auto session = services.sessions.start(std::move(*start), listener_of(run));
    if (!session) return refuse(services, client, command, session.error());
    const session::Facts& facts = (*session)->facts();
    run->session = facts.session;
    run->agent = facts.agent;
    run->policy = facts.policy;
    run->note = facts.note;
    client->while_busy(
        [&services, run](const api::Message& said) {
            auto* const running = services.sessions.find(run->session);
            if (running == nullptr) return;
            // A signal for a command that is gone already is nobody's mistake.
            if (auto s = obey(*running, said); !s && s.error().code != EPIPE) running->end(s.error().text());
        },
        [&services, run] {
            auto* const running = services.sessions.find(run->session);
            if (running != nullptr) running->end("its client is gone");
        });
}

}  // namespace

void call_run(Services& services, const Client& client, api::Message message) {
    auto request = api::RunRequest::parse(std::move(message));
    if (!request) return client->fail(request.error());
    const auto who = whose(client->peer(), request->user);
    if (!who) return refuse(services, client, request->command, who.error());
    services.people.find(
        *who, [&services, weak = std::weak_ptr(client), request = std::move(*request)](auto person) mutable {
            const auto caller = weak.lock();
            if (!caller || !caller->open()) return;  // nobody is there to run it for
            run_for(services, caller, std::move(person), std::move(request));
        });
}

}  // namespace reeve::daemon
