#include "platform/linux/confine/spawner.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/confine/handover.hpp"
#include "platform/linux/confine/notify_filter.hpp"
#include "platform/linux/confine/spawner_helper.hpp"
#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "platform/linux/wire.hpp"

namespace reeve::platform::confine {
namespace {

// The plan and what goes with it, as one sealed file.
Result<Fd> write_plan(const Plan& plan, const StartFds& fds) {
    Extras extras;
    for (int i = 0; i < 3; ++i) extras.streams[i] = static_cast<bool>(fds.streams[i]);
    extras.watch = static_cast<bool>(fds.watch);
    extras.watch_by_fd = static_cast<bool>(fds.watch_by_fd);
    extras.keeper = static_cast<bool>(fds.keeper);
    extras.veil = static_cast<bool>(fds.veil);
    extras.limit_groups = static_cast<std::uint8_t>(fds.limit_groups.size());
    std::string bytes(reinterpret_cast<const char*>(&extras), sizeof extras);
    return sealed_memfd("reeve-plan", bytes + plan.encode());
}

Status check(const Plan& plan, const StartFds& fds) {
    const bool terminal[3] = {plan.terminal.standard_input, plan.terminal.standard_output,
                              plan.terminal.standard_error};
    for (int i = 0; i < 3; ++i)
        if (terminal[i] == static_cast<bool>(fds.streams[i]))
            return error("start a session", plan.session,
                         "each stream is either the terminal or a descriptor");
    if (fds.limit_groups.size() > 16) return error("start a session", plan.session, "too many limit groups");
    return {};
}

}  // namespace

Result<std::unique_ptr<Spawner>> Spawner::create(const Programs& programs) {
    HelperFds fds;
    const std::string* const paths[] = {&programs.confine, &programs.keeper, &programs.veil,
                                        &programs.egress};
    for (std::size_t i = 0; i < kPrograms; ++i) {
        if (paths[i]->empty()) continue;
        fds.programs[i].reset(::open(paths[i]->c_str(), O_PATH | O_CLOEXEC));
        if (!fds.programs[i]) return os_error("open", *paths[i], errno, "install it beside the others");
    }
    auto filter = compile_filter();
    if (!filter) return std::unexpected(filter.error());
    fds.filter = std::move(*filter);
    auto notify_filter = compile_notify_filter();
    if (!notify_filter) return std::unexpected(notify_filter.error());
    fds.notify_filter = std::move(*notify_filter);
    auto pair = seqpacket_pair();
    auto stopped = seqpacket_pair();
    if (!pair || !stopped) return std::unexpected(pair ? stopped.error() : pair.error());
    fds.socket = std::move(pair->theirs);
    fds.stopped = std::move(stopped->theirs);
    const pid_t helper = ::fork();
    if (helper < 0) return os_error("start", "reeve-spawner");
    if (helper == 0) run_spawner_helper(std::move(fds));
    return std::unique_ptr<Spawner>(new Spawner(std::move(pair->ours), std::move(stopped->ours), helper));
}

Spawner::~Spawner() {
    socket_.reset();
    while (::waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::vector<pid_t> Spawner::stopped() {
    std::vector<pid_t> pids;
    for (auto packet = receive_packet(stopped_.get(), MSG_DONTWAIT);
         packet && packet->bytes.size() == sizeof(pid_t);
         packet = receive_packet(stopped_.get(), MSG_DONTWAIT))
        std::memcpy(&pids.emplace_back(), packet->bytes.data(), sizeof(pid_t));
    return pids;
}

struct Spawner::Answered {
    SpawnAnswer answer;
    std::vector<Fd> fds;
};

Result<Spawner::Answered> Spawner::ask(std::string_view request, std::span<const int> fds,
                                       const std::string& what) {
    const std::lock_guard lock(one_at_a_time_);
    constexpr const char* kTodo = "restart reeved: its helper reeve-spawner is gone";
    if (auto s = send_packet(socket_.get(), request, fds); !s)
        return os_error("ask reeve-spawner", what, s.error().code, kTodo);
    auto packet = receive_packet(socket_.get());
    Answered answered;
    if (!packet || packet->bytes.size() < sizeof answered.answer)
        return error("ask reeve-spawner", what, "it did not answer", kTodo);
    std::memcpy(&answered.answer, packet->bytes.data(), sizeof answered.answer);
    answered.fds = std::move(packet->fds);
    if (packet->bytes.size() == sizeof answered.answer) return answered;
    auto failed = wire::decoded<Error>(std::string_view(packet->bytes).substr(sizeof answered.answer));
    if (!failed) return error("ask reeve-spawner", what, "malformed answer", kTodo);
    if (failed->on.empty()) failed->on = what;
    return std::unexpected(std::move(*failed));
}

Result<Companion> Spawner::ask_for_process(std::string_view request, std::span<const int> fds,
                                           const std::string& what) {
    auto answered = ask(request, fds, what);
    if (!answered) return std::unexpected(answered.error());
    if (answered->answer.pid <= 0 || answered->fds.size() != 1)
        return error("ask reeve-spawner", what, "it has not started a process");
    return Companion{std::move(answered->fds[0]), answered->answer.pid};
}

Result<TakenDoors> Spawner::take_doors() {
    const SpawnRequest request{.kind = Kind::doors};
    auto answered = ask(wire::bytes_of(request), {}, "");
    if (!answered) return std::unexpected(answered.error());
    TakenDoors taken{.network = answered->answer.network};
    std::size_t next = 0;
    for (std::size_t i = 0; i < network::kDoors && next < answered->fds.size(); ++i)
        if ((answered->answer.doors >> i & 1) != 0) taken.doors.fds[i] = std::move(answered->fds[next++]);
    if (taken.network == 0 || next == 0)
        return error("take a network's doors", "", "reeve-spawner gave none");
    return taken;
}

Result<Child> Spawner::start(const Plan& plan, StartFds fds) {
    if (auto checked = check(plan, fds); !checked) return std::unexpected(checked.error());
    auto memfd = write_plan(plan, fds);
    if (!memfd) return std::unexpected(memfd.error());
    auto link = seqpacket_pair();
    if (!link) return std::unexpected(link.error());

    SpawnRequest request{.network = fds.network};
    std::vector<int> sent;
    if (fds.cgroup) {
        request.cgroup = 1;
        sent.push_back(fds.cgroup.get());
    }
    sent.insert(sent.end(), {memfd->get(), link->theirs.get()});
    for (const Fd& stream : fds.streams)
        if (stream) sent.push_back(stream.get());
    for (const Fd* extra : {&fds.watch, &fds.watch_by_fd, &fds.keeper, &fds.veil})
        if (*extra) sent.push_back(extra->get());
    for (const Fd& group : fds.limit_groups) sent.push_back(group.get());
    auto started = ask_for_process(wire::bytes_of(request), sent, plan.session);
    if (!started) return std::unexpected(started.error());
    return Child{std::move(started->pidfd), started->pid, Link(std::move(link->ours))};
}

Result<Companion> Spawner::start_companion(Kind kind, const Person& person, int cgroup,
                                           std::span<const int> fds) {
    const SpawnRequest request{.kind = kind,
                               .cgroup = cgroup >= 0,
                               .uid = person.uid,
                               .gid = person.gid,
                               .groups = static_cast<std::uint32_t>(person.groups.size())};
    std::string bytes(wire::bytes_of(request));
    bytes.append(reinterpret_cast<const char*>(person.groups.data()), person.groups.size() * sizeof(gid_t));
    std::vector<int> sent;
    if (cgroup >= 0) sent.push_back(cgroup);
    sent.insert(sent.end(), fds.begin(), fds.end());
    return ask_for_process(bytes, sent, person.name);
}

Result<Companion> Spawner::start_keeper(const Person& person, int cgroup, std::span<const int> fds) {
    return start_companion(Kind::keeper, person, cgroup, fds);
}

Result<Companion> Spawner::start_veil(const Person& person, int cgroup, std::span<const int> fds) {
    return start_companion(Kind::veil, person, cgroup, fds);
}

Result<Companion> Spawner::start_egress(const Person& user, int cgroup, std::span<const int> fds) {
    return start_companion(Kind::egress, user, cgroup, fds);
}

}  // namespace reeve::platform::confine
