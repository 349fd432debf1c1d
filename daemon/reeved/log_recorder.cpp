#include "daemon/reeved/log_recorder.hpp"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <sys/wait.h>

#include <array>

#include "platform/watch.hpp"

namespace reeve::daemon {
namespace {

namespace watch = platform::watch;
using platform::Fd;
using platform::os_error;
using platform::Result;

Result<Fd> another(const Fd& fd) {
    Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return os_error("keep a descriptor", "");
    return copy;
}

// The tree whose names the watch resolves; for a zone that is a file, its parent directory.
Result<watch::Place> place_of(const platform::confine::Zone& zone) {
    const std::string root =
        zone.directory ? zone.path : zone.path.substr(0, std::max<std::size_t>(1, zone.path.rfind('/')));
    Fd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_error("watch the zone", zone.path);
    return watch::Place{.path = zone.path, .root = std::move(fd), .log = zone.log, .of_host = true};
}

// The command as one text, cut: a record is no place for megabytes.
std::string shown(const std::vector<std::string>& command) {
    constexpr std::size_t kMost = 1024;
    std::string text;
    for (const std::string& word : command) {
        if (text.size() > kMost) break;
        text += (text.empty() ? "" : " ") + word;
    }
    if (text.size() > kMost) text = text.substr(0, kMost) + "...";
    return text;
}

}  // namespace

LogRecorder::LogRecorder(audit::Log& log, audit::Watcher& watcher, std::string device_id,
                         std::string user_domain)
    : log_(log), watcher_(watcher), device_id_(std::move(device_id)), user_domain_(std::move(user_domain)) {}

std::shared_ptr<const audit::SessionContext> LogRecorder::context_of(const session::Facts& facts) const {
    return std::make_shared<audit::SessionContext>(
        audit::SessionFacts{.session = facts.session,
                            .trace_id = facts.trace_id,
                            .user_id = user_domain_.empty() ? facts.user : facts.user + "@" + user_domain_,
                            .uid = facts.uid,
                            .agent_id = facts.agent,
                            .agent_sha256 = facts.agent_sha256,
                            .device_id = device_id_,
                            .policy_id = facts.policy});
}

void LogRecorder::made_state(const session::Facts& facts, const std::string& path) {
    const std::array details{audit::Detail{"reason", std::string_view("the agent's state was not there")},
                             audit::Detail{"agent", facts.agent}, audit::Detail{"user", facts.user}};
    log_.append({.action = audit::Action::kFileCreate,
                 .resource = path,
                 .resource_type = audit::ResourceType::kDirectory,
                 .outcome = audit::Outcome::kAllowed,
                 .details = details});
}

Result<session::Recorder::Watch> LogRecorder::begin(const session::Facts& facts,
                                                    const std::vector<platform::confine::Zone>& zones) {
    if (!log_.statistics().writable)
        return platform::error("start a session", "", "the audit log cannot be written",
                               "see reeve doctor; make room on its disk");
    auto by_handle = watch::open_group(watch::Reports::kHandles);
    auto by_descriptor = watch::open_group(watch::Reports::kDescriptors);
    if (!by_handle || !by_descriptor)
        return std::unexpected(by_handle ? by_descriptor.error() : by_handle.error());
    auto handles = another(*by_handle);
    auto descriptors = another(*by_descriptor);
    if (!handles || !descriptors) return std::unexpected(handles ? descriptors.error() : handles.error());

    auto context = context_of(facts);
    audit::WatchSetup setup{.session = facts.session,
                            .context = context,
                            .by_handle = std::move(*by_handle),
                            .by_descriptor = std::move(*by_descriptor),
                            .places = {}};
    for (const auto& zone : zones) {
        auto place = place_of(zone);
        if (!place) return std::unexpected(place.error());
        setup.places.push_back(std::move(*place));
    }
    if (auto s = watcher_.add(std::move(setup)); !s) return std::unexpected(s.error());

    const std::string command = shown(facts.command);
    const std::array details{audit::Detail{"command", command}, audit::Detail{"workspace", facts.workspace},
                             audit::Detail{"trust", facts.trust}};
    const bool written = log_.append({.action = audit::Action::kSessionStart,
                                      .session = context.get(),
                                      .resource = facts.session,
                                      .resource_type = audit::ResourceType::kSession,
                                      .outcome = audit::Outcome::kAllowed,
                                      .details = details});
    if (!written) {
        (void)watcher_.remove(facts.session);
        return platform::error("start a session", "", "the audit log is full",
                               "see reeve doctor; make room on its disk");
    }
    contexts_[facts.session] = std::move(context);
    return Watch{.by_handle = std::move(*handles), .by_descriptor = std::move(*descriptors)};
}

platform::Status LogRecorder::mounted(const std::string& session, platform::confine::Mounted mounted) {
    return watcher_.add_place(session, {.path = mounted.path,
                                        .root = std::move(mounted.mount),
                                        .log = platform::confine::kLogOpens | platform::confine::kLogChanges |
                                               platform::confine::kLogExecutions,
                                        .of_host = false});
}

platform::Status LogRecorder::reports(const std::string& session, Reporting companion) {
    return watcher_.add_reports(session, {.name = std::move(companion.name),
                                          .control = std::move(companion.control),
                                          .pid = companion.pid,
                                          .network = companion.network});
}

void LogRecorder::end(const session::Facts& facts, const session::End& end) {
    const auto context = contexts_.extract(facts.session);
    auto counts = watcher_.remove(facts.session);
    if (!counts)
        spdlog::error("the last events of session {} wait for the log: {}", facts.session,
                      counts.error().text());
    const audit::Counts sums = counts ? *counts : audit::Counts();
    std::vector<audit::Detail> details;
    if (WIFEXITED(end.status) && end.started)
        details.push_back({"exit_code", std::int64_t{WEXITSTATUS(end.status)}});
    if (WIFSIGNALED(end.status) && end.started)
        details.push_back({"signal", std::int64_t{WTERMSIG(end.status)}});
    if (!end.failure.empty()) details.push_back({"reason", end.failure});
    for (const auto& [key, value] : {std::pair<std::string_view, std::uint64_t>{"seen", sums.seen},
                                     {"recorded", sums.recorded},
                                     {"coalesced", sums.coalesced},
                                     {"joined", sums.joined},
                                     {"left_out", sums.left_out},
                                     {"gaps", sums.gaps}})
        details.push_back({key, value});
    log_.append({.action = audit::Action::kSessionEnd,
                 .session = context.empty() ? nullptr : context.mapped().get(),
                 .resource = facts.session,
                 .resource_type = audit::ResourceType::kSession,
                 .outcome = end.started ? audit::Outcome::kNone : audit::Outcome::kFailed,
                 .details = details});
}

}  // namespace reeve::daemon
