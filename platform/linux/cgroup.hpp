// The cgroups of one session: version 2 for its identity and its end, version 2 or 1 for its limits.
//
// Version 2 needs no controller for either of the first two, so it is used on hybrid hierarchies as well,
// where the controllers belong to version 1. It does not cover CPU or I/O shares.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform {

// The v2 cgroup of a process, "/reeve/01JD..." as /proc/PID/cgroup names it; empty where there is no v2
// hierarchy.
Result<std::string> cgroup_of(pid_t pid);

class Cgroup {
  public:
    // Makes "reeve/<name>" below the root of the v2 hierarchy (or below this process's own cgroup, where it
    // may not write to the root). `name` is one path component. Fails where the machine has no v2 hierarchy.
    static Result<Cgroup> create(const std::string& name);

    Cgroup(Cgroup&&) = default;
    Cgroup& operator=(Cgroup&&) = default;
    ~Cgroup() = default;  // does not remove it: remove() says whether it could

    // Sets limits, 0 for none. Version 2 where it has the controller, else version 1, else an Error that
    // names which.
    Status limit(std::uint64_t memory_bytes, std::uint64_t processes);

    // Descriptors for StartFds: the v2 directory, and `tasks` of each v1 group that holds a limit.
    Result<Fd> directory() const;
    Result<std::vector<Fd>> limit_groups() const;

    // The path within the hierarchy, as cgroup_of() gives it.
    const std::string& path() const { return path_; }

    // A process belongs to this session when its cgroup is this one or lies below.
    bool contains(const std::string& cgroup) const;
    Result<std::vector<pid_t>> members() const;

    // Kills every member at once (cgroup.kill, Linux 5.14; SIGKILL to each until none is left before that).
    Status kill();
    // Waits until the group is empty, then removes it. EBUSY after `milliseconds`.
    Status remove(int milliseconds);

  private:
    Cgroup() = default;
    Status wait_and_remove(int milliseconds);
    Status limit_by(const std::string& controller, const std::string& v2_file, const std::string& v1_file,
                    std::uint64_t value);

    std::string mount_;            // of the v2 hierarchy
    std::string path_;             // within it
    std::vector<std::string> v1_;  // directories of version 1 groups that hold a limit
};

}  // namespace reeve::platform
