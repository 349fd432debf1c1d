#include "platform/linux/confine/spawner.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/confine/handover.hpp"
#include "platform/linux/confine/spawner_helper.hpp"
#include "platform/linux/confine/syscalls.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

// The plan and what goes with it, as one sealed file.
Result<Fd> write_plan(const Plan& plan, const StartFds& fds) {
    Extras extras;
    for (int i = 0; i < 3; ++i) extras.streams[i] = static_cast<bool>(fds.streams[i]);
    extras.watch = static_cast<bool>(fds.watch);
    extras.watch_by_fd = static_cast<bool>(fds.watch_by_fd);
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

Result<std::unique_ptr<Spawner>> Spawner::create(const std::string& confine) {
    Fd program(::open(confine.c_str(), O_PATH | O_CLOEXEC));
    if (!program) return os_error("open", confine, errno, "install it beside reeved");
    auto filter = compile_filter();
    if (!filter) return std::unexpected(filter.error());
    auto pair = seqpacket_pair();
    if (!pair) return std::unexpected(pair.error());
    const pid_t helper = ::fork();
    if (helper < 0) return os_error("start", "reeve-spawner");
    if (helper == 0) run_spawner_helper(std::move(pair->theirs), std::move(program), std::move(*filter));
    return std::unique_ptr<Spawner>(new Spawner(std::move(pair->ours), helper));
}

Spawner::~Spawner() {
    socket_.reset();
    while (::waitpid(helper_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<Child> Spawner::start(const Plan& plan, StartFds fds) {
    if (auto checked = check(plan, fds); !checked) return std::unexpected(checked.error());
    auto memfd = write_plan(plan, fds);
    if (!memfd) return std::unexpected(memfd.error());
    auto link = seqpacket_pair();
    if (!link) return std::unexpected(link.error());

    SpawnRequest request;
    std::vector<int> sent{memfd->get(), link->theirs.get()};
    if (fds.cgroup) {
        request.cgroup = 1;
        sent.push_back(fds.cgroup.get());
    }
    for (const Fd& stream : fds.streams)
        if (stream) sent.push_back(stream.get());
    if (fds.watch) sent.push_back(fds.watch.get());
    if (fds.watch_by_fd) sent.push_back(fds.watch_by_fd.get());
    for (const Fd& group : fds.limit_groups) sent.push_back(group.get());

    const std::lock_guard lock(one_at_a_time_);
    constexpr const char* kTodo = "restart reeved: its helper reeve-spawner is gone";
    if (auto s = send_packet(socket_.get(), {reinterpret_cast<const char*>(&request), sizeof request}, sent);
        !s)
        return os_error("ask reeve-spawner for a session", plan.session, s.error().code, kTodo);
    auto packet = receive_packet(socket_.get());
    SpawnAnswer answer;
    if (!packet || packet->bytes.size() != sizeof answer)
        return error("ask reeve-spawner for a session", plan.session, "it did not answer", kTodo);
    std::memcpy(&answer, packet->bytes.data(), sizeof answer);
    if (answer.pid <= 0 || packet->fds.size() != 1)
        return os_error(std::string(answer.failed, ::strnlen(answer.failed, sizeof answer.failed)),
                        plan.session, answer.code);
    return Child{std::move(packet->fds[0]), answer.pid, Link(std::move(link->ours))};
}

}  // namespace reeve::platform::confine
