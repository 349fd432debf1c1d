#include "daemon/keeper/work.hpp"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <algorithm>

namespace reeve::keeper {

int Work::record(const Judgement& judged, const Event& event) {
    // What is interrupted is made again, or was not made.
    if (!judged.recorded || event.code == kRestart) return event.code;
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    access::Report report{.action = judged.action,
                          .verdict = judged.decision.verdict,
                          .by_rule = judged.decision.decided_by == policy::DecidedBy::rule,
                          .decided = judged.decided,
                          .directory = event.directory,
                          .canary = judged.decision.canary,
                          .error = event.code,
                          .monotonic_ns = static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
                                          static_cast<std::uint64_t>(now.tv_nsec),
                          .operation = request.operation(),
                          .path = event.path,
                          .target = event.target,
                          .rule = judged.decision.rule};
    // The name of the program first: by it a remembered caller that is no more is found out.
    const auto executable = request.executable();
    if (executable) report.exe = *executable;
    if (const auto caller = request.caller()) {
        report.pid = (*caller)->process();
        report.start_ns = (*caller)->start_ns();
        report.parent = (*caller)->parent();
    }
    // Reeved is gone, and this process and the session with it in a moment.
    if (!engine.reporter.add(report)) return ENOSYS;
    return event.code;
}

int Work::take_umask() {
    // Each worker has its own (unshare(CLONE_FS)), and remembers what it has set.
    thread_local mode_t set = 0;
    const auto mask = request.umask(engine.umasks);
    if (!mask) return ESRCH;
    if (set != *mask) ::umask(set = *mask);
    return 0;
}

std::optional<Work::Standing> Work::look(int directory, const std::string& name) {
    constexpr std::uint64_t kMountRoot = 0x2000;  // STATX_ATTR_MOUNT_ROOT, Linux 5.8
    struct statx found {};
    const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
    if (::statx(directory, name.c_str(), flags, STATX_TYPE | STATX_INO | STATX_NLINK, &found) != 0)
        return std::nullopt;
    Standing standing{.mount = (found.stx_attributes & kMountRoot) != 0};
    standing.status.st_mode = found.stx_mode;
    standing.status.st_dev = makedev(found.stx_dev_major, found.stx_dev_minor);
    standing.status.st_ino = found.stx_ino;
    standing.status.st_nlink = found.stx_nlink;
    return standing;
}

bool Work::holds_place(const std::string& path) const {
    return std::ranges::any_of(engine.setup.places, [&](const access::Place& place) {
        return place.path.starts_with(path) &&
               (place.path.size() == path.size() || place.path[path.size()] == '/');
    });
}

}  // namespace reeve::keeper
