// The walls around files: what is there at all, what may be changed, what may be executed.
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "platform/fd.hpp"
#include "platform/linux/posture/self_test.hpp"

namespace reeve::platform::posture {
namespace {

// What no session may have, on any machine.
constexpr struct {
    const char* path;
    int flags;
} kSecrets[] = {
    {"/etc/shadow", O_RDONLY},                    // passwords
    {"/etc/gshadow", O_RDONLY},                   // passwords
    {"/etc/sudoers", O_RDONLY},                   // who becomes root how
    {"/etc/ssh/ssh_host_ed25519_key", O_RDONLY},  // the machine's key
    {"/root", O_RDONLY | O_DIRECTORY},            // another person's home
    {"/var/lib/reeve", O_RDONLY | O_DIRECTORY},   // the device key
    {"/var/log/reeve", O_RDONLY | O_DIRECTORY},   // the log
    {"/run/reeve/reeve.sock", O_PATH},            // the daemon
    {"/proc/kcore", O_RDONLY},                    // the kernel's memory
    {"/dev/mem", O_RDONLY},                       // the machine's memory
};

// Whether the bytes of our own program can be executed from a file without a name.
bool executes(unsigned flags, int& error) {
    Fd program(static_cast<int>(::syscall(SYS_memfd_create, "reeve-self-test", flags)));
    error = errno;
    if (!program) return false;
    const Fd self(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    char buffer[65536];
    for (ssize_t got; (got = ::read(self.get(), buffer, sizeof buffer)) > 0;)
        if (::write(program.get(), buffer, static_cast<std::size_t>(got)) != got) return false;
    ::fchmod(program.get(), 0755);
    // A descriptor that is open for writing is ETXTBSY.
    const std::string path = "/proc/self/fd/" + std::to_string(program.get());
    const Fd readable(::open(path.c_str(), O_RDONLY));
    program.reset();
    const pid_t child = ::fork();
    if (child == 0) {
        char name[] = "reeve-self-test", argument[] = "--ran";
        char* const arguments[] = {name, argument, nullptr};
        char* const environment[] = {nullptr};
        ::syscall(SYS_execveat, readable.get(), "", arguments, environment, AT_EMPTY_PATH);
        ::_exit(errno == kRan ? 1 : errno);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    error = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
    return error == kRan;
}

}  // namespace

void try_host_secrets(Tries& tries, const Targets&) {
    for (const auto& secret : kSecrets) {
        const Fd fd(::open(secret.path, secret.flags | O_CLOEXEC | O_NONBLOCK));
        tries.call(secret.path, fd.get());
    }
}

void try_absent_path(Tries& tries, const Targets& targets) {
    const Fd fd(::open(targets.absent_path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    tries.call("open", fd.get());
    struct stat status {};
    tries.call("stat", ::lstat(targets.absent_path, &status));
}

void try_read_only_zone(Tries& tries, const Targets& targets) {
    struct stat before {};
    if (::stat(targets.read_only_dir, &before) != 0 || !S_ISDIR(before.st_mode))
        return tries.untried("there is no read-only directory to try it on");
    const Fd zone(::open(targets.read_only_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!zone) return tries.untried("the read-only directory cannot be opened");
    const std::string name = ".reeve-self-test-" + std::to_string(::getpid());
    {
        const Fd file(::openat(zone.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        tries.call("create", file.get());
        if (file) ::unlinkat(zone.get(), name.c_str(), 0);
    }
    const int made = ::mkdirat(zone.get(), name.c_str(), 0700);
    tries.call("mkdir", made);
    if (made == 0) ::unlinkat(zone.get(), name.c_str(), AT_REMOVEDIR);
    const Fd unnamed(::openat(zone.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600));
    tries.way("file without a name", static_cast<bool>(unnamed));
    tries.call("chmod", ::fchmod(zone.get(), before.st_mode & 07777));
    const timespec same[] = {before.st_atim, before.st_mtim};
    tries.call("utimensat", ::futimens(zone.get(), same));
}

// Each call is made so that what is behind the wall refuses it: no such file system, no move of / onto itself. The trees that
// are made hang nowhere and are gone with their descriptors.
void try_mount(Tries& tries, const Targets&) {
    tries.past("mount", ::mount("none", "/", "reeve-no-such", 0, nullptr));
    tries.past("pivot_root", ::syscall(SYS_pivot_root, "/", "/"));
    const Fd tmpfs(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
    tries.call("fsopen", tmpfs.get());
    const Fd tree(
        static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
    tries.call("open_tree", tree.get());
}

void try_chroot(Tries& tries, const Targets&) {
    tries.call("chroot", ::chroot("/"));
}

void try_nested_namespace(Tries& tries, const Targets&) {
    constexpr int kFlags = CLONE_NEWUSER | CLONE_NEWNS;
    const int unshared = in_child([] { return ::unshare(kFlags) == 0 ? 0 : errno; });
    tries.way("unshare", unshared == 0, unshared);
    const int cloned = in_child([] {
        const long pid = ::syscall(SYS_clone, kFlags | SIGCHLD, 0, 0, 0, 0);
        if (pid == 0) ::_exit(0);
        return pid > 0 ? 0 : errno;
    });
    tries.way("clone", cloned == 0, cloned);
    const int cloned3 = in_child([] {
        clone_args arguments{};
        arguments.flags = kFlags;
        arguments.exit_signal = SIGCHLD;
        const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid == 0) ::_exit(0);
        return pid > 0 ? 0 : errno;
    });
    tries.way("clone3", cloned3 == 0, cloned3);
}

void try_memfd_exec(Tries& tries, const Targets&) {
    int error = 0;
    const bool plain = executes(0, error);
    tries.way("memory file", plain, error);
    const bool said = executes(0x10 /* MFD_EXEC, Linux 6.3 */, error);
    tries.way("one made to be executed", said, error);
}

void try_file_handles(Tries& tries, const Targets&) {
    union {
        file_handle handle;
        char space[sizeof(file_handle) + MAX_HANDLE_SZ];
    } root{};
    root.handle.handle_bytes = MAX_HANDLE_SZ;
    int mount_id = 0;
    const Fd here(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (::name_to_handle_at(AT_FDCWD, "/", &root.handle, &mount_id, 0) == 0) {
        const Fd fd(::open_by_handle_at(here.get(), &root.handle, O_RDONLY | O_CLOEXEC));
        tries.call("open_by_handle_at", fd.get());
        return;
    }
    // Not even named: a made-up one shows whether the kernel would look for it.
    root.handle.handle_bytes = 8;
    root.handle.handle_type = 1;
    tries.past("open_by_handle_at", ::open_by_handle_at(here.get(), &root.handle, O_RDONLY | O_CLOEXEC));
}

}  // namespace reeve::platform::posture
