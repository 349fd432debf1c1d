// Starts reeve-confine for reeved, from a process of its own.
//
// reeved has threads and secrets, so it does not fork. Before it makes its first thread it forks this helper,
// `reeve-spawner`, which has nothing but one socket to reeved, the opened reeve-confine, and a few network
// namespaces made in advance (making one takes a millisecond, the longest step of a launch). The helper ends
// when reeved does; its children end by their own links.
//
// It does not cover: the set-up inside (steps.hpp), the cgroups (platform/linux/cgroup.hpp), what a session
// may do.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <string>

#include "platform/linux/confine/link.hpp"

namespace reeve::platform::confine {

struct Child {
    Fd pidfd;       // of the session's first process, to wait for its end; it is not a child of the caller's
    pid_t pid = 0;  // the same, as the caller's pid namespace numbers it
    Link link;
};

class Spawner {
  public:
    // Forks the helper: call it before the process has a second thread. `confine` is the path of
    // reeve-confine, opened here once, so that what runs later is that file and not what its name leads to by
    // then.
    static Result<std::unique_ptr<Spawner>> create(const std::string& confine);
    ~Spawner();  // the helper ends; sessions stay as long as their links

    // Starts one session. Returns when reeve-confine has been executed; whether its steps succeed comes over
    // the link (StepFailed, or Started). Any thread; calls wait for one another. Blocks for some
    // milliseconds.
    Result<Child> start(const Plan& plan, StartFds fds);

    pid_t helper() const { return helper_; }

  private:
    Spawner(Fd socket, pid_t helper) : socket_(std::move(socket)), helper_(helper) {}

    std::mutex one_at_a_time_;
    Fd socket_;
    pid_t helper_;
};

}  // namespace reeve::platform::confine
