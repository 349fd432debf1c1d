// Whose ids the session has, and what it may do with them: nothing but what any program of that person may.
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {
namespace {

struct Capabilities {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
};

Status write_file(int directory, const std::string& name, const std::string& text) {
    const Fd file(::openat(directory, name.c_str(), O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return os_error("write", name);
    return {};
}

// One-to-one lines for ids, neighbours in one. The kernel takes 340 lines in one write of less than a page:
// where there are more, the rest has no number inside (it shows as nobody's), but still counts for access.
std::string id_map(std::vector<gid_t> ids) {
    std::string text;
    const gid_t first = ids.empty() ? 0 : ids.front();
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    auto line = [](gid_t id, std::size_t count) {
        return std::to_string(id) + " " + std::to_string(id) + " " + std::to_string(count) + "\n";
    };
    std::vector<std::pair<gid_t, std::size_t>> ranges;
    for (const gid_t id : ids)
        if (!ranges.empty() && id == ranges.back().first + ranges.back().second)
            ++ranges.back().second;
        else
            ranges.emplace_back(id, 1);
    // The primary id's range comes first, so that it is there in any case.
    std::stable_partition(ranges.begin(), ranges.end(), [&](const auto& range) {
        return first >= range.first && first - range.first < range.second;
    });
    constexpr std::size_t kPage = 4096, kLines = 340;
    std::size_t lines = 0;
    for (const auto& [id, count] : ranges) {
        const std::string next = line(id, count);
        if (++lines > kLines || text.size() + next.size() >= kPage) break;
        text += next;
    }
    return text;
}

std::vector<gid_t> groups_of(const Person& person) {
    std::vector<gid_t> groups{person.gid};
    groups.insert(groups.end(), person.groups.begin(), person.groups.end());
    return groups;
}

}  // namespace

Status become_person(Setup& setup) {
    const Person& person = setup.plan.person;
    if (left_out(setup.plan, "identity")) return {};
    // Capabilities are kept for one more step: writing the maps of the user namespace.
    if (::prctl(PR_SET_KEEPCAPS, 1) != 0) return os_error("keep capabilities", "");
    if (::setgroups(person.groups.size(), person.groups.data()) != 0)
        return os_error("set the person's groups", "");
    if (::setresgid(person.gid, person.gid, person.gid) != 0) return os_error("set the person's group", "");
    if (::setresuid(person.uid, person.uid, person.uid) != 0) return os_error("set the person's id", "");
    Capabilities capabilities;
    if (::syscall(SYS_capget, &capabilities.header, capabilities.data) != 0)
        return os_error("read capabilities", "");
    for (auto& data : capabilities.data) data.effective = data.permitted;
    if (::syscall(SYS_capset, &capabilities.header, capabilities.data) != 0)
        return os_error("keep capabilities", "");
    // Nobody inside reads or traces the first process. (The change of ids has done it too, unless
    // fs.suid_dumpable.)
    if (::prctl(PR_SET_DUMPABLE, left_out(setup.plan, "dumpable") ? 1 : 0) != 0)
        return os_error("close the first process to others", "");
    return {};
}

// Made with the person's effective id, so that they own it (what reads the session for them must have ptrace
// rights over it), and by the clone that makes the command's process, so that the first one stays outside:
// the command has no right over it, also not by a capability in its namespace.
Status enter_user_namespace(Setup& setup) {
    Fd go(::eventfd(0, EFD_CLOEXEC));
    if (!go) return os_error("make an event", "");
    const unsigned long flags = left_out(setup.plan, "user_namespace") ? SIGCHLD : CLONE_NEWUSER | SIGCHLD;
    // The raw call: fork() has no flags. All pointers are null, so that the order of its arguments, which
    // differs between architectures, does not matter.
    const long child = ::syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (child < 0)
        return os_error("make a user namespace", "", errno,
                        "see that /proc/sys/user/max_user_namespaces is not 0");
    if (child == 0) {
        std::uint64_t count = 0;
        if (::read(go.get(), &count, sizeof count) != sizeof count || count != 1) ::_exit(125);
        return {};
    }
    setup.command = static_cast<pid_t>(child);
    if ((flags & CLONE_NEWUSER) != 0) {
        const std::string directory = std::to_string(child) + "/";
        if (auto s = write_file(setup.proc.get(), directory + "uid_map", id_map({setup.plan.person.uid})); !s)
            return s;
        if (auto s =
                write_file(setup.proc.get(), directory + "gid_map", id_map(groups_of(setup.plan.person)));
            !s)
            return s;
    }
    const std::uint64_t one = 1;
    if (::write(go.get(), &one, sizeof one) != sizeof one) return os_error("let the command go on", "");
    return {};
}

// A mount namespace made inside would have the mounts without their marks, and a user namespace would give
// the capabilities to change them. seccomp refuses both; this holds also where it does not.
Status forbid_namespaces(Setup& setup) {
    if (left_out(setup.plan, "user_namespace") || left_out(setup.plan, "nested_namespaces")) return {};
    for (const char* name : {"user/max_user_namespaces", "user/max_mnt_namespaces"})
        if (auto s = write_file(setup.sysctl.get(), name, "0"); !s) return s;
    return {};
}

Status drop_capabilities(Setup& setup) {
    if (left_out(setup.plan, "capabilities")) return {};
    int capability = 0;
    while (::prctl(PR_CAPBSET_DROP, capability) == 0) ++capability;
    // EINVAL: the kernel has no more (prctl(2)).
    if (capability == 0 || errno != EINVAL)
        return os_error("drop from the bounding set, capability", std::to_string(capability));
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
        return os_error("drop capabilities", "");
    Capabilities none;
    if (::syscall(SYS_capset, &none.header, none.data) != 0) return os_error("drop capabilities", "");
    return {};
}

}  // namespace reeve::platform::confine
