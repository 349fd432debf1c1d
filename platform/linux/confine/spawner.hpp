// Starts reeve-confine for reeved, from a process of its own.
//
// reeved has threads and secrets, so it does not fork. Before it makes its first thread it forks this helper,
// `reeve-spawner`, which has nothing but one socket to reeved, the opened programs, and a network namespace with its
// doors made in advance (that takes milliseconds, the longest step of a launch). The helper ends when reeved does; its
// children end by their own links. It starts a session's companions, reeve-keeper, reeve-veil and reeve-egress, as well.
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
#include "platform/linux/network/doors.hpp"

namespace reeve::platform::confine {

enum class Kind : std::uint32_t;

struct Child {
    Fd pidfd;       // of the session's first process, to wait for its end; it is not a child of the caller's
    pid_t pid = 0;  // the same, as the caller's pid namespace numbers it
    Link link;
};

// A process beside a session: outside of its namespaces, with the ids of the person (reeve-egress: of its own user) and
// no capability.
struct Companion {
    Fd pidfd;
    pid_t pid = 0;
};

// Paths; a companion's may be empty, and then it cannot be started.
struct Programs {
    std::string confine, keeper, veil, egress;
};

// The way out of a network that a session is yet to be started in.
struct TakenDoors {
    network::Doors doors;
    std::uint64_t network = 0;  // for StartFds::network
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
    // The same for reeve-egress, which is not the person's but `user`'s, and is in the network (and IPC and UTS namespace)
    // that reeved was in when it called create().
    Result<Companion> start_egress(const Person& user, int cgroup, std::span<const int> fds);

    // The doors of a network that nobody else gets. The session for which StartFds::network repeats its number is
    // started in it; one that gives no number never is. An Error where the kernel has no such doors: sessions start all
    // the same, without a way out. What is taken and not used is given up in the end. Any thread.
    Result<TakenDoors> take_doors();

    pid_t helper() const { return helper_; }

    // Readable when children have been stopped (SIGSTOP and the like) since stopped() was called last; it gives their
    // pids. One thread.
    int stopped_fd() const { return stopped_.get(); }
    std::vector<pid_t> stopped();

  private:
    Spawner(Fd socket, Fd stopped, pid_t helper)
        : socket_(std::move(socket)), stopped_(std::move(stopped)), helper_(helper) {}
    struct Answered;
    Result<Answered> ask(std::string_view request, std::span<const int> fds, const std::string& what);
    Result<Companion> ask_for_process(std::string_view request, std::span<const int> fds,
                                      const std::string& what);
    Result<Companion> start_companion(Kind kind, const Person& person, int cgroup, std::span<const int> fds);

    std::mutex one_at_a_time_;
    Fd socket_, stopped_;
    pid_t helper_;
};

}  // namespace reeve::platform::confine
