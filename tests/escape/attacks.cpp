// The table of attacks: what stops each, and what it needs around it. README.md says it in words.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <system_error>

#include "tests/escape/scene.hpp"

namespace reeve::test {
namespace fs = std::filesystem;
using platform::Fd;
using platform::confine::Plan;

namespace {

constexpr const char* kSecret = "PRIVATE KEY of nobody\n";

// Ids of the person, no capability, a user namespace in which root is nobody. Without them the session is
// root's.
const Wall kRights = {"identity", "capabilities", "user_namespace"};

void need(bool done, const char* what) {
    if (!done) throw std::system_error(errno, std::generic_category(), what);
}

// --- files

void secret_outside(Scene& scene) {
    scene.arguments = {scene.person.secret().string(), scene.person.workspace().string()};
    fs::create_symlink(scene.person.secret().parent_path(), scene.person.workspace() / "planted");
    if (scene.lacks("tree")) scene.grant_home();
}

void absent_host_file(Scene& scene) {
    scene.arguments = {scene.person.home().string()};
    if (scene.lacks("tree")) scene.grant_home();
    scene.got_through = [&scene] { return !scene.person.unchanged(); };
}

void late_symlink(Scene& scene) {
    scene.in_workspace("above/denied/secret", kSecret);
    scene.change_plan(
        [&scene](Plan& plan) { plan.masks.push_back((scene.person.workspace() / "above/denied").string()); });
}

void odd_names(Scene& scene) {
    scene.in_workspace("denied/secret", kSecret);
    for (const char* name : {"back\\slash", "new\nline", "not\xff\xfeutf8", "-rf"})
        scene.in_workspace(name, kSecret);
    scene.change_plan([&scene](Plan& plan) {
        for (const char* name : {"denied", "back\\slash", "new\nline", "not\xff\xfeutf8", "-rf"})
            plan.masks.push_back((scene.person.workspace() / name).string());
    });
}

void exchange_race(Scene& scene) {
    const char* const rounds =
        std::getenv("REEVE_ROUNDS");  // of the soak; NOLINT(concurrency-mt-unsafe): nobody sets it
    scene.arguments = {scene.person.secret().parent_path().string(), rounds != nullptr ? rounds : "20000"};
    scene.options.deadline = std::chrono::seconds(rounds != nullptr ? 600 : 30);
    if (scene.lacks("tree")) scene.grant_home();
}

void hard_link_of_host_file(Scene& scene) {
    scene.arguments = {(scene.person.home() / ".bashrc").string()};
    if (scene.lacks("tree")) scene.grant_home();
}

void swapped_zone(Scene& scene) {
    const fs::path path = scene.person.root() / "zone";
    scene.person.make_directory(path);
    scene.arguments = {path.string()};
    scene.step_that_stops = "zones";
    scene.change_plan([&scene, path](Plan& plan) {
        plan.zones.push_back(zone(path.string(), false));
        fs::rename(path, path.string() + ".moved");
        fs::create_symlink(scene.person.secret().parent_path(), path);
    });
}

void created_during_session(Scene& scene) {
    const fs::path place = scene.person.root() / "later", file = place / "secret";
    const fs::path go = scene.person.workspace() / "go", done = scene.person.workspace() / "done";
    scene.person.make_directory(place);
    scene.arguments = {file.string()};
    if (scene.lacks("tree"))
        scene.change_plan([=](Plan& plan) { plan.zones.push_back(zone(place.string(), false)); });
    scene.run_as_person([&] { return ::mkfifo(go.c_str(), 0600) == 0 && ::mkfifo(done.c_str(), 0600) == 0; },
                        [&] {
                            const Fd asked(::open(go.c_str(), O_RDONLY | O_CLOEXEC));
                            const Fd made(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
                            (void)!::write(made.get(), kSecret, std::strlen(kSecret));
                            const Fd answer(::open(done.c_str(), O_WRONLY | O_CLOEXEC));
                            (void)!::write(answer.get(), "x", 1);
                        });
}

void read_only_zone(Scene& scene) {
    scene.arguments = {scene.make_zone(false, true)};
}

void stream_of_file(Scene& scene) {
    scene.options.add = [&scene](auto& fds) {
        fds.streams[0].reset(::open((scene.person.home() / ".bashrc").c_str(), O_RDONLY | O_CLOEXEC));
    };
}

// --- processes and descriptors

void host_process(Scene& scene) {
    scene.arguments = {std::to_string(scene.run_as_person([] { return true; }))};
}

void directory_as_stream(Scene& scene) {
    scene.arguments = {scene.person.secret().string()};
    scene.step_that_stops = "stream_files";
    scene.options.add = [](auto& fds) {
        fds.streams[0].reset(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    };
}

void host_terminal(Scene& scene) {
    scene.step_that_stops = "stream_files";
    auto master = std::make_shared<Fd>(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    need(::grantpt(master->get()) == 0 && ::unlockpt(master->get()) == 0, "posix_openpt");
    std::string name(64, '\0');
    need(::ptsname_r(master->get(), name.data(), name.size()) == 0, "ptsname_r");
    need(::chmod(name.c_str(), 0666) == 0, "chmod");
    scene.kept.push_back(master);
    scene.options.add = [name](auto& fds) {
        fds.streams[0].reset(::open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    };
}

// A copy of the attack, root's, in a read-only zone.
fs::path copy_in_zone(Scene& scene, const char* attack, bool executable) {
    const fs::path place = scene.make_place("tools"), program = place / "program";
    fs::copy_file(fs::path(REEVE_ATTACKS) / (std::string("attack_") + attack), program);
    need(::chmod(program.c_str(), 0755) == 0, "chmod");
    scene.change_plan([=](Plan& plan) { plan.zones.push_back(zone(place.string(), false, executable)); });
    scene.arguments = {program.string()};
    return program;
}

void setuid_program(Scene& scene) {
    need(::chmod(copy_in_zone(scene, "setuid_program", true).c_str(), 04755) == 0, "chmod");
}

void file_capabilities(Scene& scene) {
    const fs::path program = copy_in_zone(scene, "file_capabilities", true);
    vfs_cap_data capability{};
    capability.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE;
    capability.data[0].permitted = 1U << CAP_NET_RAW;
    need(::setxattr(program.c_str(), "security.capability", &capability, XATTR_CAPS_SZ_2, 0) == 0,
         "setxattr");
}

void supplementary_groups(Scene& scene) {
    const gid_t own = scene.person.ids().gid, other = own + 1;
    scene.change_plan([=](Plan& plan) { plan.person.groups = {own, other}; });
    scene.arguments = {std::to_string(own), std::to_string(other)};
}

void on_terminal(Scene& scene) {
    scene.options.terminal = true;
}

void noexec_zone(Scene& scene) {
    copy_in_zone(scene, "noexec_zone", false);
#if defined(__x86_64__)
    scene.arguments.push_back("/lib64/ld-linux-x86-64.so.2");
#else
    scene.arguments.push_back("/lib/ld-linux-aarch64.so.1");
#endif
    scene.arguments.push_back(scene.person.home().string());
    const bool executable = scene.lacks("noexec");
    scene.change_plan([=](Plan& plan) {
        for (auto& directory : plan.private_directories) directory.executable = executable;
    });
}

// --- kernel surface

void key_of_person(Scene& scene) {
    scene.run_as_person([] {
        const long key = ::syscall(SYS_add_key, "user", "reeve-secret", "x", 1L, KEY_SPEC_USER_KEYRING);
        constexpr unsigned kAllOfOwner = 0x3f3f0000;
        return key >= 0 && ::syscall(SYS_keyctl, KEYCTL_SETPERM, key, kAllOfOwner) == 0;
    });
}

void host_cgroups(Scene& scene) {
    const bool hybrid = fs::exists("/sys/fs/cgroup/unified/cgroup.procs");
    const std::string path = hybrid ? "/sys/fs/cgroup/unified" : "/sys/fs/cgroup";
    scene.arguments = {path};
    if (scene.lacks("tree")) scene.change_plan([=](Plan& plan) { plan.zones.push_back(zone(path, true)); });
}

// Some machines have no i386 calls, whatever the kernel: their hypervisor turns them into a fault.
void foreign_calls(Scene& scene) {
#if defined(__x86_64__)
    const pid_t child = ::fork();
    if (child == 0) {
        long result = 20;  // getpid
        asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    if (!WIFEXITED(status) && scene.lacks("seccomp.arch")) scene.arguments = {"absent"};
#endif
}

// --- IPC

void listen_at(Scene& scene, const std::string& name, bool abstract, int type) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path + (abstract ? 1 : 0), name.c_str(), sizeof address.sun_path - 2);
    const std::size_t size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    auto socket = std::make_shared<Fd>(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    need(::bind(socket->get(), reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size)) == 0,
         "bind");
    if (type == SOCK_STREAM) need(::listen(socket->get(), 8) == 0, "listen");
    if (!abstract) fs::permissions(name, fs::perms::all);
    scene.kept.push_back(socket);
}

void abstract_socket(Scene& scene) {
    const std::string name = "reeve-test-" + std::to_string(scene.person.ids().uid);
    listen_at(scene, name, true, SOCK_STREAM);
    scene.arguments = {name};
}

void path_socket_at(Scene& scene, int type, bool granted) {
    const fs::path place = scene.make_place("sockets");
    listen_at(scene, place / "socket", false, type);
    scene.arguments = {place / "socket"};
    if (granted) scene.change_plan([=](Plan& plan) { plan.zones.push_back(zone(place.string(), false)); });
}

void path_socket(Scene& scene) {
    path_socket_at(scene, SOCK_STREAM, scene.lacks("tree"));
}

void unix_datagram(Scene& scene) {
    path_socket_at(scene, SOCK_DGRAM, true);
}

void system_v_ipc(Scene& scene) {
    const int memory = ::shmget(IPC_PRIVATE, 4096, 0666), semaphore = ::semget(IPC_PRIVATE, 1, 0666);
    const int queue = ::msgget(IPC_PRIVATE, 0666);
    const std::string name = "/reeve-test-" + std::to_string(scene.person.ids().uid);
    const mqd_t posix = ::mq_open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, nullptr);
    scene.kept.push_back(at_end([=] {
        ::shmctl(memory, IPC_RMID, nullptr);
        ::semctl(semaphore, 0, IPC_RMID);
        ::msgctl(queue, IPC_RMID, nullptr);
        ::mq_close(posix);
        ::mq_unlink(name.c_str());
    }));
    need(memory >= 0 && semaphore >= 0 && queue >= 0 && posix >= 0 && ::fchmod(posix, 0666) == 0, "IPC");
    scene.arguments = {std::to_string(memory), std::to_string(semaphore), std::to_string(queue),
                       name.substr(1)};
}

void host_tmp(Scene& scene) {
    std::string name = "/tmp/reeve-test-XXXXXX";
    const Fd file(::mkostemp(name.data(), O_CLOEXEC));
    scene.kept.push_back(at_end([=] { ::unlink(name.c_str()); }));
    need(file && ::fchmod(file.get(), 0644) == 0, "mkostemp");
    scene.arguments = {name};
    if (!scene.lacks("tree")) return;
    scene.change_plan([](Plan& plan) {
        std::erase_if(plan.private_directories,
                      [](const auto& directory) { return directory.path == "/tmp"; });
        plan.zones.push_back(zone("/tmp", false));
    });
}

std::vector<Attack> make_attacks() {
    std::vector<Attack> all = {
        // files
        {"secret_outside", {{"tree"}}, secret_outside},
        {"absent_host_file", {{"tree"}}, absent_host_file},
        {"late_symlink", {{"masks"}}, late_symlink},
        {"swapped_zone", {{"zone_identity"}}, swapped_zone},
        {"created_during_session", {{"tree"}}, created_during_session},
        {"odd_names", {{"masks"}}, odd_names},
        {"exchange_race", {{"tree"}}, exchange_race},
        {"hard_link_of_host_file", {{"tree"}}, hard_link_of_host_file},
        {"write_read_only_zone", {{"read_only"}, {"landlock"}}, read_only_zone, {"rename in"}},
        {"attributes_in_read_only_zone", {{"read_only"}}, read_only_zone},
        {"reopen_stream", {{"streams"}}, stream_of_file, {}, {"landlock"}},
        {"set_user_id_bit", {{"seccomp.set_user_id"}}},
        // processes and descriptors
        {"proc_of_init", {{"dumpable"}, {"user_namespace"}}},
        {"trace_init",
         {{"seccomp.ptrace", "seccomp.process_vm", "seccomp.pidfd_getfd", "seccomp.kcmp"},
          {"dumpable"},
          {"user_namespace"}}},
        {"trace_sibling", {{"seccomp.ptrace", "seccomp.process_vm", "seccomp.pidfd_getfd", "seccomp.kcmp"}}},
        // That it is not seen has more walls than the pid namespace, which alone stops signals.
        {"host_process",
         {{"own_proc"}, {"user_namespace"}, {"landlock"}},
         host_process,
         {"signal", "pidfd_open"}},
        // The spawner makes the pid namespace: there is no session without one to compare with.
        {"signal_init", {}},
        {"inherited_fds", {{"close_fds"}}},
        {"directory_as_stream", {{"streams"}}, directory_as_stream},
        {"host_terminal", {{"streams", "landlock"}}, host_terminal},
        // The filter could not be loaded without no_new_privs.
        {"setuid_program", {{"nosuid"}, {"no_new_privs", "seccomp"}, {"user_namespace"}}, setuid_program},
        {"file_capabilities", {{"nosuid"}, {"no_new_privs", "seccomp"}, {"capabilities"}}, file_capabilities},
        {"supplementary_groups", {kRights}, supplementary_groups},
        {"capabilities", {{"capabilities"}}, nullptr, {"CapInh", "CapPrm", "CapEff", "CapAmb", "ambient"}},
        {"terminal_injection", {{"seccomp.terminal"}}, on_terminal},
        {"oom_score", {{"oom_score"}}, nullptr, {}, {}, CAP_SYS_RESOURCE},
        {"raise_limits", {kRights}, nullptr, {}, {}, CAP_SYS_RESOURCE},
        {"core_dump", {{"core", "seccomp.core"}}},
        {"memfd_exec", {{"memfd_noexec", "seccomp.memfd"}}},
        {"noexec_zone", {{"noexec"}}, noexec_zone},
        {"file_handles", {{"seccomp.handles"}, kRights}},
        // kernel surface
        {"nested_user_namespace",
         {{"nested_namespaces"}, {"seccomp.unshare", "seccomp.clone", "seccomp.clone3"}}},
        {"setns", {{"seccomp.setns"}, kRights}},
        {"mount_calls", {{"seccomp.mount"}, kRights, {"landlock"}}, read_only_zone},
        {"new_mount_calls", {{"seccomp.mount"}, kRights}, read_only_zone},
        {"change_root", {{"seccomp.mount"}, kRights}},
        {"io_uring", {{"seccomp.io_uring"}}},
        {"foreign_calls", {{"seccomp.arch"}}, foreign_calls, {"x32 getpid"}},
        {"high_argument_bits",
         {{"seccomp.sockets", "seccomp.terminal", "seccomp.clone", "seccomp.memfd", "nested_namespaces"}}},
        {"keyring_calls", {{"seccomp.keyrings"}}},
        {"key_of_person", {{"seccomp.keyrings"}, {"user_namespace"}}, key_of_person},
        {"userfaultfd", {{"seccomp.userfaultfd"}}},
        {"bpf_program", {{"seccomp.bpf"}, kRights}},
        // As root, since kernel.perf_event_paranoid may keep it from everybody else.
        {"perf_event", {{"seccomp.perf"}}, nullptr, {}, kRights},
        {"watch_files", {{"seccomp.fanotify"}}},
        {"machine_calls", {{"seccomp.kernel", "seccomp.clock", "seccomp.ports"}, kRights}},
        {"quota_and_segments", {{"seccomp.kernel", "seccomp.pages", "seccomp.ports"}}},
        {"unknown_call", {{"seccomp.unknown"}}, nullptr, {"1000"}},
        {"personality", {{"seccomp.personality"}}},
        {"filter_stays", {{"seccomp.userfaultfd"}}},
        {"landlock_stays", {{"landlock"}}, read_only_zone, {}, {"read_only"}},
        {"kernel_settings", {kRights}, nullptr, {"/sys"}},
        {"masked_proc", {{"masks"}}, nullptr, {"/proc/timer_list", "/proc/sysrq-trigger"}},
        {"cgroup", {{"tree", "identity", "capabilities", "user_namespace"}}, host_cgroups},
        // IPC
        {"abstract_socket", {{"net_namespace"}, {"landlock"}}, abstract_socket},
        {"path_socket", {{"tree"}}, path_socket},
        {"unix_datagram", {{"seccomp.sockets"}}, unix_datagram},
        {"exotic_sockets", {{"seccomp.sockets"}}, nullptr, {"ping"}, kRights},
        {"system_v_ipc", {{"ipc_namespace"}}, system_v_ipc},
        {"host_tmp", {{"tree"}}, host_tmp},
    };
    return all;
}

}  // namespace

const std::vector<Attack>& attacks() {
    static const std::vector<Attack> all = make_attacks();
    return all;
}

}  // namespace reeve::test
