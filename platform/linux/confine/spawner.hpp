// Starts reeve-confine for reeved, from a process of its own.
//
// reeved has threads and secrets, so it does not fork. Before it makes its first thread it forks this helper,
// `reeve-spawner`, which has nothing but one socket to reeved, the opened programs, and a network namespace made in
// advance (making one takes a millisecond, the longest step of a launch). The helper ends when reeved does; its
// children end by their own links. It starts a session's companions, reeve-keeper and reeve-veil, as well.
//
// It does not cover: the set-up inside (steps.hpp), the cgroups (platform/linux/cgroup.hpp), what a session
// may do.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/linux/confine/link.hpp"

namespace reeve::platform::confine {

enum class Kind : std::uint32_t;

struct Child {
    Fd pidfd;       // of the session's first process, to wait for its end; it is not a child of the caller's
    pid_t pid = 0;  // the same, as the caller's pid namespace numbers it
    Link link;
};

// A process beside a session: outside of its namespaces, with the person's ids and no capability.
struct Companion {
    Fd pidfd;
    pid_t pid = 0;
};

// Paths; a companion's may be empty, and then it cannot be started.
struct Programs {
    std::string confine, keeper, veil;
};

class Spawner {
  public:
    // Forks the helper: call it before the process has a second thread. The programs are opened here once, so that
    // what runs later is that file and not what its name leads to by then.
    static Result<std::unique_ptr<Spawner>> create(const Programs& programs);
    ~Spawner();  // the helper ends; sessions stay as long as their links

    // Starts one session. Returns when reeve-confine has been executed; whether its steps succeed comes over
    // the link (StepFailed, or Started). Any thread; calls wait for one another. Blocks for some
    // milliseconds.
    Result<Child> start(const Plan& plan, StartFds fds);

    // Start reeve-keeper or reeve-veil with `fds` from 3 on, born in `cgroup` (a directory; -1: in reeved's own).
    // Whether they get to work shows by their sockets alone. Any thread.
    Result<Companion> start_keeper(const Person& person, int cgroup, std::span<const int> fds);
    Result<Companion> start_veil(const Person& person, int cgroup, std::span<const int> fds);

    pid_t helper() const { return helper_; }

    // Readable when children have been stopped (SIGSTOP and the like) since stopped() was called last; it gives their
    // pids. One thread.
    int stopped_fd() const { return stopped_.get(); }
    std::vector<pid_t> stopped();

  private:
    Spawner(Fd socket, Fd stopped, pid_t helper)
        : socket_(std::move(socket)), stopped_(std::move(stopped)), helper_(helper) {}
    Result<Companion> ask(std::string_view request, std::span<const int> fds, const std::string& what);
    Result<Companion> start_companion(Kind kind, const Person& person, int cgroup, std::span<const int> fds);

    std::mutex one_at_a_time_;
    Fd socket_, stopped_;
    pid_t helper_;
};

}  // namespace reeve::platform::confine
