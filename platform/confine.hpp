// Starting a program inside boundaries: what reeved decides (a Plan), and the seam that carries it out.
//
// A Plan is complete: reeve-confine takes no decision of its own, reads no configuration and no environment.
// It does not cover: which zones a policy gives (policy/zones), who may start what (daemon/session), and what
// is recorded of a running session (platform/watch.hpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::confine {

// What is recorded of one mount; a mask. Changes have writes with them, which are all of them that the watch sees.
enum Log : unsigned { kLogOpens = 1, kLogChanges = 2, kLogExecutions = 4, kLogWrites = 8 };

// A file or directory of the host that exists inside, at the same path, as a bind mount.
struct Zone {
    std::string path;  // absolute and resolved: no symbolic link, no "..", no trailing slash
    std::uint64_t device =
        0;  // st_dev and st_ino of the object that was decided on; reeve-confine refuses to go on
    std::uint64_t inode = 0;  // when the path leads to another object by the time that it is mounted
    bool directory = true;
    bool writable = false;
    bool executable = false;
    unsigned log = 0;  // Log bits
};

// A directory that exists only inside and is gone with the session: a tmpfs of its own.
struct PrivateDirectory {
    std::string path;
    std::uint64_t size = 0;  // bytes, an upper bound; 0 means half of the memory limit or 1 GiB
    bool of_person = true;   // owned by the person (else by root, and read-only once it is assembled)
    bool executable = true;
    unsigned mode = 0700;
    unsigned log = 0;  // Log bits
    // With a keeper: changes in it are the keeper's to make, since a zone of the keeper's lies below, and what Landlock
    // allows in a directory it allows in what is mounted below as well.
    bool kept = false;
};

struct Person {
    uid_t uid = 0;  // never 0
    gid_t gid = 0;
    std::vector<gid_t> groups;  // all of them, the primary one included
    std::string name;
};

// A symbolic link of the private root: /bin -> usr/bin.
struct Symlink {
    std::string path;
    std::string target;
};

struct Limits {
    std::uint64_t memory = 0;     // bytes, 0 for none
    std::uint64_t processes = 0;  // 0 for none
};

// What the session's standard streams are. A stream that is not a terminal is an fd of StartFds.
struct Terminal {
    bool standard_input = false, standard_output = false, standard_error = false;
    unsigned short rows = 24, columns = 80;
    bool any() const { return standard_input || standard_output || standard_error; }
};

struct Plan {
    std::string session;  // the session's id; also the name of its cgroup and its host name
    Person person;
    std::vector<Zone> zones;
    std::vector<PrivateDirectory> private_directories;
    std::vector<std::string>
        veiled;  // paths at which the veil's trees of the same paths stand (StartFds::veil)
    std::vector<std::string>
        masks;  // existing paths inside zones that are denied: something empty stands over them
    std::vector<Symlink> links;
    std::string working_directory;         // must lie in a zone or private directory
    std::vector<std::string> command;      // argv; command[0] is looked up in the plan's PATH, inside
    std::vector<std::string> environment;  // "NAME=value", complete
    Terminal terminal;
    Limits limits;
    bool trap_reads = false;    // the keeper is asked about opens for reading too
    int required_landlock = 0;  // the least Landlock ABI that policy asks for; less than that starts nothing
    bool report_steps = false;  // send one StepDone a step, for `./dev bench launch`
    // Names of defences that are left out, "seccomp.unshare" and the like. Only reeve-confine-holes, a
    // program of the tests that is never packaged, honours it; reeve-confine refuses a plan in which it is
    // not empty.
    std::vector<std::string> without;

    // The form in which a plan travels to reeve-confine: flat bytes, private to programs of one build.
    std::string encode() const;
    static Result<Plan> decode(std::string_view bytes);
};

// Descriptors that go with a plan. Ownership passes to the callee.
struct StartFds {
    Fd streams[3];   // standard input, output, error; empty where Plan::terminal says terminal
    Fd watch;        // fanotify group that reports file handles; empty: no mount is marked
    Fd watch_by_fd;  // fanotify group that reports descriptors, for mounts that refuse handles; may be empty
    // To reeve-keeper, which gets the session's root and its seccomp listener; Landlock then allows no change in any
    // zone. Empty: the session makes its changes itself.
    Fd keeper;
    Fd veil;    // a detached mount of the veil, where Plan::veiled names trees of it
    Fd cgroup;  // directory of the session's cgroup v2, entered at birth
    std::vector<Fd>
        limit_groups;  // `tasks` of cgroup v1 controllers that hold its limits, opened for writing
    // Which network it gets: the one whose doors were taken (Spawner::take_doors()). 0: one without a way out.
    std::uint64_t network = 0;
};

// What reeve-confine says over its link, one at a time.
struct StepDone {
    std::string step;
    std::uint64_t nanoseconds = 0;
};
struct StepFailed {  // nothing was started; the link closes next
    std::string step;
    Error error;
};
struct Mounted {  // a private directory, for turning its file handles into paths; sent before Started
    std::string path;
    Fd mount;                    // a detached clone, so that it outlives the session
    bool by_descriptor = false;  // its handles were refused, watch_by_fd has its mark
};
struct Started {
    Fd terminal;  // the master side, where the plan has a terminal
};
struct Stopped {  // the command was stopped by job control
    int signal = 0;
};
struct Exited {      // the command is gone; what it left in the background ends with the session, right after
                     // this
    int status = 0;  // as waitpid() gives it
};
struct Closed {};  // the link's other end is gone: the session has ended, or never began
using Message = std::variant<StepDone, StepFailed, Mounted, Started, Stopped, Exited, Closed>;

// The sandbox tiers that this kernel offers, for doctor and posture.
struct Support {
    int landlock_abi = 0;  // 0: none
    bool cgroup_kill = false;
    bool memfd_noexec = false;  // per pid namespace, Linux 6.3
    bool user_namespaces = false;
    bool notify = false;  // seccomp user notification with WAIT_KILLABLE_RECV, Linux 5.19: the keeper's
    bool fuse = false;    // /dev/fuse can be opened: the veil's
    bool ptrace_refused = false;  // Yama's scope 3: nobody reads another process, so there is no keeper
};
Support probe_support();

}  // namespace reeve::platform::confine
