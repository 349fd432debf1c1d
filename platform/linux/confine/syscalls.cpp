#include "platform/linux/confine/syscalls.hpp"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <span>

#include "platform/linux/confine/syscall_list.hpp"
#include "platform/linux/memfd.hpp"

namespace reeve::platform::confine {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

constexpr scmp_datum_t kInt = 0xffffffff;  // the kernel looks only at the lower half of an int argument
constexpr unsigned kMfdExec = 0x10;        // Linux 6.3; Debian 12's headers do not have it

// One part while it is being built. The first error sticks.
class Part {
  public:
    explicit Part(std::uint32_t default_action) : context_(seccomp_init(default_action), &seccomp_release) {
        if (!context_) code_ = ENOMEM;
    }
    void attribute(scmp_filter_attr name, std::uint32_t value) {
        if (code_ == 0) code_ = -seccomp_attr_set(context_.get(), name, value);
    }
    // Names that libseccomp does not know, or that this machine does not have, are passed over: unknown is
    // ENOSYS.
    void add(const char* name, std::uint32_t action, std::initializer_list<scmp_arg_cmp> arguments = {}) {
        const int number = seccomp_syscall_resolve_name(name);
        if (code_ != 0 || number < 0) return;
        const auto count = static_cast<unsigned>(arguments.size());
        code_ = -seccomp_rule_add_array(context_.get(), action, number, count, std::data(arguments));
        if (code_ == EACCES) code_ = 0;  // it is the default action already
        if (code_ != 0) failed_ = name;
    }
    Result<off_t> write_to(int fd) {
        if (code_ == 0) code_ = -seccomp_export_bpf(context_.get(), fd);
        if (code_ != 0) return os_error("compile the system call filter", failed_, code_);
        return ::lseek(fd, 0, SEEK_CUR);
    }

  private:
    Context context_;
    int code_ = 0;
    std::string failed_;
};

scmp_arg_cmp is(unsigned argument, scmp_datum_t value) {
    return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, kInt, value & kInt);
}
scmp_arg_cmp has_bit(unsigned argument, scmp_datum_t bit) {
    return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, bit, bit);
}
scmp_arg_cmp socket_type(int type) {
    return SCMP_CMP(1, SCMP_CMP_MASKED_EQ, 0xf, static_cast<scmp_datum_t>(type));  // SOCK_TYPE_MASK
}

// Streams and sequenced packets between processes, TCP and UDP, and the routing netlink socket that
// getifaddrs() needs. AF_UNIX datagram sockets are refused, also in pairs, because sendto() on one reaches a
// socket without a connect() to judge.
void add_socket_rules(Part& numbers) {
    constexpr int kFamilies = 46;  // AF_MAX of Linux 6.12; above is ENOSYS by default
    for (int family = 0; family < kFamilies; ++family) {
        const auto value = static_cast<scmp_datum_t>(family);
        if (family != AF_UNIX) numbers.add("socketpair", SCMP_ACT_ERRNO(EAFNOSUPPORT), {is(0, value)});
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6 && family != AF_NETLINK)
            numbers.add("socket", SCMP_ACT_ERRNO(EAFNOSUPPORT), {is(0, value)});
    }
    for (int type = 0; type < 16; ++type) {
        const bool judged = type == SOCK_STREAM || type == SOCK_SEQPACKET;
        for (const char* name : {"socket", "socketpair"})
            numbers.add(name, judged ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ESOCKTNOSUPPORT),
                        {is(0, AF_UNIX), socket_type(type)});
        const bool netlink = type == SOCK_RAW || type == SOCK_DGRAM;
        if (netlink)
            numbers.add("socket", SCMP_ACT_ALLOW,
                        {is(0, AF_NETLINK), socket_type(type), is(2, NETLINK_ROUTE)});
        for (const scmp_datum_t family : {AF_INET, AF_INET6})
            if (type != SOCK_STREAM && type != SOCK_DGRAM)
                numbers.add("socket", SCMP_ACT_ERRNO(EPERM), {is(0, family), socket_type(type)});
    }
    for (int protocol = 1; protocol < 32; ++protocol)
        numbers.add("socket", SCMP_ACT_ERRNO(EPROTONOSUPPORT),
                    {is(0, AF_NETLINK), is(2, static_cast<scmp_datum_t>(protocol))});
    for (const scmp_datum_t family : {AF_INET, AF_INET6}) {
        for (const scmp_datum_t protocol : {0, static_cast<int>(IPPROTO_TCP)})
            numbers.add("socket", SCMP_ACT_ALLOW, {is(0, family), socket_type(SOCK_STREAM), is(2, protocol)});
        for (const scmp_datum_t protocol : {0, static_cast<int>(IPPROTO_UDP)})
            numbers.add("socket", SCMP_ACT_ALLOW, {is(0, family), socket_type(SOCK_DGRAM), is(2, protocol)});
        // Known ones get the errno that programs fall back on; any other is ENOSYS by default.
        for (const scmp_datum_t protocol :
             {1, 58, 33, 132, 136, 262})  // ICMP, ICMPv6, DCCP, SCTP, UDPLITE, MPTCP
            for (const int type : {SOCK_STREAM, SOCK_DGRAM})
                numbers.add("socket", SCMP_ACT_ERRNO(EPROTONOSUPPORT),
                            {is(0, family), socket_type(type), is(2, protocol)});
    }
}

// Native programs only: READ_IMPLIES_EXEC, ADDR_NO_RANDOMIZE and the like weaken those that trust the
// sandbox.
void add_personality_rules(Part& numbers) {
    for (const scmp_datum_t value :
         {0UL, 0xffffffffUL, static_cast<unsigned long>(PER_LINUX32), 0x20000UL, 0x20008UL})
        numbers.add("personality", SCMP_ACT_ALLOW, {is(0, value)});
}

// The second part: everything is allowed but these.
struct ArgumentRule {
    const char* name;
    void (*add)(Part&);
};
constexpr ArgumentRule kArgumentRules[] = {
    {"seccomp.clone",
     [](Part& part) {
         // Not CLONE_NEWTIME, whose bit is one of the exit signal's in clone().
         for (const unsigned flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                                     CLONE_NEWPID, CLONE_NEWNET})
             part.add("clone", SCMP_ACT_ERRNO(EPERM), {has_bit(0, flag)});
     }},
    {"seccomp.terminal",  // typing into the terminal that one was started from (CVE-2017-5226, CVE-2023-1523)
     [](Part& part) {
         for (const scmp_datum_t request : {TIOCSTI, TIOCLINUX, TIOCSETD})
             part.add("ioctl", SCMP_ACT_ERRNO(EPERM), {is(1, request)});
     }},
    {"seccomp.memfd",  // a program that no watch sees executed
     [](Part& part) { part.add("memfd_create", SCMP_ACT_ERRNO(EPERM), {has_bit(1, kMfdExec)}); }},
    {"seccomp.core",  // limits.cpp has chosen the only value that stops the host's handler of crashes as well
     [](Part& part) {
         const scmp_arg_cmp changes = SCMP_CMP(2, SCMP_CMP_NE, 0), reads = SCMP_CMP(3, SCMP_CMP_NE, 0);
         const scmp_arg_cmp reads_not = SCMP_CMP(3, SCMP_CMP_EQ, 0);
         // Without an error: programs with secrets switch cores off, and stop where they cannot.
         part.add("setrlimit", SCMP_ACT_ERRNO(0), {is(0, RLIMIT_CORE)});
         part.add("prlimit64", SCMP_ACT_ERRNO(0), {is(1, RLIMIT_CORE), changes, reads_not});
         part.add("prlimit64", SCMP_ACT_ERRNO(EPERM), {is(1, RLIMIT_CORE), changes, reads});
     }},
    {"seccomp.set_user_id",  // a program that gives the person's ids to whoever starts it, outside
     [](Part& part) {
         part.add("chmod", SCMP_ACT_ERRNO(EPERM), {has_bit(1, S_ISUID)});
         part.add("fchmod", SCMP_ACT_ERRNO(EPERM), {has_bit(1, S_ISUID)});
         part.add("fchmodat", SCMP_ACT_ERRNO(EPERM), {has_bit(2, S_ISUID)});
         part.add("fchmodat2", SCMP_ACT_ERRNO(EPERM), {has_bit(2, S_ISUID)});
     }},
};

bool left_out(const std::vector<std::string>& without, const std::string& name) {
    return std::find(without.begin(), without.end(), name) != without.end();
}

Part numbers_part(const std::vector<std::string>& without) {
    Part part(left_out(without, "seccomp.unknown") ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
    // i386 and x32: other numbers for the same calls, so that the list would not be about them.
    part.attribute(SCMP_FLTATR_ACT_BADARCH,
                   left_out(without, "seccomp.arch") ? SCMP_ACT_ALLOW : SCMP_ACT_KILL_PROCESS);
    part.attribute(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree of numbers
    const std::uint32_t allow = SCMP_ACT_ALLOW;
    for (const char* name : kAllowed) part.add(name, allow);
    for (const RefusedGroup& group : kRefused)
        for (const char* name : group.calls)
            part.add(name, left_out(without, group.name) ? allow
                                                         : SCMP_ACT_ERRNO(static_cast<unsigned>(group.code)));
    if (left_out(without, "seccomp.sockets")) {
        part.add("socket", allow);
        part.add("socketpair", allow);
    } else {
        add_socket_rules(part);
    }
    if (left_out(without, "seccomp.personality"))
        part.add("personality", allow);
    else
        add_personality_rules(part);
    return part;
}

Part arguments_part(const std::vector<std::string>& without) {
    Part part(SCMP_ACT_ALLOW);
    part.attribute(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);  // the first part has killed it
    for (const ArgumentRule& rule : kArgumentRules)
        if (!left_out(without, rule.name)) rule.add(part);
    return part;
}

}  // namespace

Result<Fd> compile_filter(const std::vector<std::string>& without) {
    auto fd = make_memfd("reeve-filter");
    if (!fd) return fd;
    std::uint64_t header = 0;
    ::lseek(fd->get(), sizeof header, SEEK_SET);
    auto first = numbers_part(without).write_to(fd->get());
    if (!first) return std::unexpected(first.error());
    auto second = arguments_part(without).write_to(fd->get());
    if (!second) return std::unexpected(second.error());
    header = static_cast<std::uint64_t>(*first) - sizeof header;
    if (::pwrite(fd->get(), &header, sizeof header, 0) != sizeof header)
        return os_error("write the system call filter", "");
    if (auto sealed = seal(fd->get()); !sealed) return std::unexpected(sealed.error());
    return fd;
}

std::vector<std::string> filter_rules() {
    std::vector<std::string> names{"seccomp.unknown", "seccomp.arch", "seccomp.sockets",
                                   "seccomp.personality"};
    for (const RefusedGroup& group : kRefused) names.emplace_back(group.name);
    for (const ArgumentRule& rule : kArgumentRules) names.emplace_back(rule.name);
    return names;
}

}  // namespace reeve::platform::confine
