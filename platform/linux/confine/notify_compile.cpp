#include <errno.h>
#include <linux/fs.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "platform/linux/confine/notify_filter.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/notify/calls.hpp"

namespace reeve::platform::confine {
namespace {

using notify::kChangingFlags;
using notify::kTrappedCalls;
using notify::Trap;
using notify::TrappedCall;

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

// Requests of ioctl() that change a file's attributes, or make and remove names, through any descriptor of it.
struct Request {
    const char* why;
    scmp_datum_t value;
};
constexpr unsigned kBtrfs = 0x94;  // linux/btrfs.h; its requests with a name take a structure of 4096 bytes
struct NameStructure {
    char bytes[4096];
};
constexpr Request kRequests[] = {
    {"chattr: append-only, immutable, no copy-on-write", FS_IOC_SETFLAGS},
    {"the same, and project ids", FS_IOC_FSSETXATTR},
    {"generation numbers", FS_IOC_SETVERSION},
    {"the same on ext4", _IOW('f', 4, long)},
    {"fs-verity makes a file read-only for good", _IOC(_IOC_WRITE, 'f', 133, 128)},
    {"fscrypt makes a directory unreadable without a key", _IOC(_IOC_READ, 'f', 19, 12)},
    {"attributes on FAT", _IOW('r', 0x11, std::uint32_t)},
    {"a name, of a snapshot", _IOW(kBtrfs, 1, NameStructure)},
    {"a name, of a subvolume", _IOW(kBtrfs, 14, NameStructure)},
    {"removes a name", _IOW(kBtrfs, 15, NameStructure)},
    {"a name, of a snapshot", _IOW(kBtrfs, 23, NameStructure)},
    {"a name, of a subvolume", _IOW(kBtrfs, 24, NameStructure)},
    {"removes a name", _IOW(kBtrfs, 63, NameStructure)},
};

// The first error sticks.
class Variant {
  public:
    explicit Variant(const std::vector<std::string>& without)
        : context_(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release), without_(without) {
        if (!context_) code_ = ENOMEM;
        // The first part of the session's filter ends other architectures.
        if (code_ == 0) code_ = -seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW);
        if (code_ == 0) code_ = -seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
    }

    void trap(const TrappedCall& call, bool reads) {
        if (left_out("notify." + std::string(call.name))) return;
        if (call.trap == Trap::always || reads) return add(call.name, SCMP_ACT_NOTIFY, {});
        const unsigned argument = call.trap == Trap::open_flags_1 ? 1 : 2;
        for (const scmp_datum_t flag : kChangingFlags)
            add(call.name, SCMP_ACT_NOTIFY, {SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, flag, flag)});
    }
    void refuse_the_rest() {
        // Its flags are in memory, where no filter sees them; programs fall back to openat().
        if (!left_out("notify.openat2")) add("openat2", SCMP_ACT_ERRNO(ENOSYS), {});
        if (left_out("notify.ioctl")) return;
        constexpr scmp_datum_t kInt = 0xffffffff;  // the kernel looks at the lower half only
        for (const Request& request : kRequests)
            add("ioctl", SCMP_ACT_ERRNO(EPERM), {SCMP_CMP(1, SCMP_CMP_MASKED_EQ, kInt, request.value)});
    }
    Result<off_t> write_to(int fd) {
        if (code_ == 0) code_ = -seccomp_export_bpf(context_.get(), fd);
        if (code_ != 0) return os_error("compile the keeper's filter", failed_, code_);
        return ::lseek(fd, 0, SEEK_CUR);
    }

  private:
    bool left_out(const std::string& name) const {
        return std::ranges::find(without_, name) != without_.end();
    }
    void add(const char* name, std::uint32_t action, std::initializer_list<scmp_arg_cmp> arguments) {
        int number = seccomp_syscall_resolve_name(name);
        // A call that this libseccomp does not know (Debian 12: fchmodat2) is added by its number.
        for (const TrappedCall& call : kTrappedCalls)
            if (number == __NR_SCMP_ERROR && std::string_view(call.name) == name) number = call.number;
        if (code_ != 0 || number < 0) return;
        const auto count = static_cast<unsigned>(arguments.size());
        code_ = -seccomp_rule_add_array(context_.get(), action, number, count, std::data(arguments));
        if (code_ != 0) failed_ = name;
    }

    Context context_;
    const std::vector<std::string>& without_;
    int code_ = 0;
    std::string failed_;
};

Result<off_t> write_variant(int fd, bool reads, const std::vector<std::string>& without) {
    Variant variant(without);
    for (const TrappedCall& call : kTrappedCalls) variant.trap(call, reads);
    variant.refuse_the_rest();
    return variant.write_to(fd);
}

}  // namespace

Result<Fd> compile_notify_filter(const std::vector<std::string>& without) {
    auto fd = make_memfd("reeve-notify");
    if (!fd) return fd;
    std::uint64_t header = 0;
    ::lseek(fd->get(), sizeof header, SEEK_SET);
    auto first = write_variant(fd->get(), false, without);
    if (!first) return std::unexpected(first.error());
    if (auto second = write_variant(fd->get(), true, without); !second)
        return std::unexpected(second.error());
    header = static_cast<std::uint64_t>(*first) - sizeof header;
    if (::pwrite(fd->get(), &header, sizeof header, 0) != sizeof header)
        return os_error("write the keeper's filter", "");
    if (auto sealed = seal(fd->get()); !sealed) return std::unexpected(sealed.error());
    return fd;
}

std::vector<std::string> notify_rules() {
    std::vector<std::string> names{"notify.openat2", "notify.ioctl"};
    for (const TrappedCall& call : kTrappedCalls) names.push_back("notify." + std::string(call.name));
    return names;
}

}  // namespace reeve::platform::confine
