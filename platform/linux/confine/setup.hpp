// What the steps of a session's set-up share, and the steps themselves. Only reeve-confine has this.
//
// The order is in steps.cpp. Each step is a function that either does all of its work or returns why not,
// upon which nothing is started: the process ends, and everything that was made so far goes with it.
#pragma once

#include <string_view>
#include <vector>

#include "platform/confine.hpp"

namespace reeve::platform::confine {

// One mount of the session's tree. Those that were taken from the host are `bound`: nothing is ever made
// inside one.
struct Placed {
    std::string path;
    Fd mount;
    bool bound = false;
    bool directory = true;
    bool changeable = false;  // the session may change what is in it, so Landlock grants it
    bool sealed = false;      // made read-only when the tree is complete
    bool of_person = false;   // directories that are made in it on the way to a mount belong to the person
};

struct Setup {
    Plan plan;
    Fd link, filter, notify_filter;
    Fd streams[3];
    Fd watch, watch_by_fd;
    Fd keeper;  // to reeve-keeper; empty where there is none
    Fd veil;    // the veil's mount, until its trees are taken
    std::vector<Fd> limit_groups;

    std::vector<Placed> mounts;  // of the host's zones first; sorted by path when they are put in place
    Fd root;                     // the new root's mount
    Fd sysctl;                   // /proc/sys of the session, writable; what the session sees is not
    Fd proc;                     // the mount of /proc
    Fd pts;                      // the mount of /dev/pts
    Fd master, slave;            // the terminal, where there is one
    pid_t command = 0;
    Fd go;  // in the command's process: readable when its user namespace has its maps
};

// Whether a defence is left out. Always false in the program that is installed.
#ifdef REEVE_TEST_HOLES
bool left_out(const Plan& plan, std::string_view name);
Status stay_in_host_namespaces(Setup& setup);  // those of the network and of IPC, when they are left out
Result<Fd> host_proc();
#else
inline bool left_out(const Plan&, std::string_view) {
    return false;
}
#endif

// platform/linux/confine/limits.cpp
Status enter_limits(Setup& setup);
// zones.cpp: in the host's mount namespace, since a mount of another one cannot be cloned
Status clone_zones(Setup& setup);
bool is_kept(const Setup& setup);
// streams.cpp: likewise
Status take_streams(Setup& setup);
// tree.cpp
Status leave_host_mounts(Setup& setup);
Status make_root(Setup& setup);
Status make_private_directories(Setup& setup);
Status take_veil(Setup& setup);
Status put_in_place(Setup& setup);
Status mask_paths(Setup& setup);
Status change_root(Setup& setup);
Status report_private_mounts(Setup& setup);
// devices.cpp
Status make_devices(Setup& setup);
// proc.cpp
Status make_proc(Setup& setup);
Status refuse_executable_memory(Setup& setup);
// terminal.cpp
Status open_terminal(Setup& setup);
Status take_terminal(Setup& setup);
// landlock.cpp
Status enter_landlock(Setup& setup);
// identity.cpp
Status become_person(Setup& setup);
Status enter_user_namespace(Setup& setup);  // forks: what follows runs in the command's process
Status forbid_namespaces(Setup& setup);
Status drop_capabilities(Setup& setup);
// command.cpp
Status enter_working_directory(Setup& setup);
Status set_streams(Setup& setup);
Status enter_filter(Setup& setup);
[[noreturn]] void run_command(Setup& setup);

// init.cpp: what the first process does from then on. Never returns before the session's end.
[[noreturn]] void be_init(Setup& setup);

// mounts.cpp: the mount calls, with errors.
Result<Fd> new_file_system(const char* type,
                           std::initializer_list<std::pair<const char*, std::string>> options,
                           std::uint64_t attributes);
Result<Fd> clone_mount(int fd);                         // of the mount and the place where fd is, alone
Status set_mount(int mount, std::uint64_t attributes);  // adds attributes, makes it private
Status place_mount(int mount, int onto, const std::string& path);  // `path` is for the error's text only

// A place below a mount's root, without a symbolic link or another mount on the way. O_PATH.
Result<Fd> open_beneath(int mount, const std::string& relative, int flags = 0);

// The mount in which `path` lies, the innermost one, and the rest of the path. `count` limits the search to
// the first.
struct Cover {
    Placed* mount = nullptr;
    std::string rest;  // relative; empty where path is the mount's root
};
Cover find_cover(std::vector<Placed>& mounts, const std::string& path, std::size_t count);

}  // namespace reeve::platform::confine
