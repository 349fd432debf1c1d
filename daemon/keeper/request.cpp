#include "daemon/keeper/request.hpp"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "platform/linux/notify/memory.hpp"

namespace reeve::keeper {

using platform::Fd;

int Request::path(int i, std::string& out) const {
    return text(call_.arguments[i], PATH_MAX, ENAMETOOLONG, out);
}

int Request::text(std::uint64_t address, std::size_t most, int too_long, std::string& out) const {
    return platform::notify::read_text(call_.tid, address, most, too_long, out);
}

int Request::memory(std::uint64_t address, void* to, std::size_t size) const {
    return platform::notify::read_memory(call_.tid, address, to, size);
}

bool Request::confirm() {
    if (!confirmed_) confirmed_ = listener_.valid(call_.id);
    return confirmed_;
}

Or<std::shared_ptr<const Caller>> Request::caller() {
    if (caller_) return caller_;
    bool made = false;
    auto found = callers_.find(call_.tid, fresh_, made);
    if (!found) return found;
    // The number was the caller's if the caller still waits now.
    if (made && !listener_.valid(call_.id)) return std::unexpected(ESRCH);
    caller_ = *found;
    return caller_;
}

template <class Ask>
auto Request::ask(Ask ask) -> decltype(ask(std::declval<const Caller&>())) {
    auto who = caller();
    if (!who) return std::unexpected(who.error());
    auto answer = ask(**who);
    if (answer || fresh_ || (answer.error() != ENOENT && answer.error() != ESRCH)) return answer;
    fresh_ = true;
    caller_.reset();
    who = caller();
    if (!who) return std::unexpected(who.error());
    return ask(**who);
}

Or<Fd> Request::open(const char* relative, std::uint64_t flags) {
    return ask([&](const Caller& who) -> Or<Fd> {
        Fd fd(::openat(who.proc(), relative, static_cast<int>(flags) | O_PATH | O_CLOEXEC));
        if (!fd) return std::unexpected(errno);
        return fd;
    });
}

Or<Fd> Request::descriptor(int number) {
    if (number < 0) return std::unexpected(EBADF);
    auto fd = open(("fd/" + std::to_string(number)).c_str());
    if (!fd && fd.error() == ENOENT) return std::unexpected(EBADF);
    return fd;
}

Or<Fd> Request::open_descriptor(int number) {
    auto fd = descriptor(number);
    if (!fd) return fd;
    // The link's own mode says how the descriptor was opened: no bit at all is O_PATH (proc_pid_fd(5)).
    struct stat link {};
    const std::string name = "fd/" + std::to_string(number);
    if (::fstatat(caller_->proc(), name.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0 ||
        (link.st_mode & 0700) == 0)
        return std::unexpected(EBADF);
    return fd;
}

bool Request::table_is_full() {
    constexpr rlim_t kFar = 32;  // a program that opens by other calls as well is asked before they matter
    rlimit limit{};
    if (!confirm()) return false;
    const auto who = caller();
    if (!who || ::prlimit(call_.tid, RLIMIT_NOFILE, nullptr, &limit) != 0) return false;
    const int last = (*who)->last_descriptor();
    if (last >= 0 && static_cast<rlim_t>(last) + kFar < limit.rlim_cur) return false;
    // The number of open descriptors (Linux 6.2; 0 before that). If that many lie below the limit, none is free.
    struct stat table {};
    return ::fstatat((*who)->proc(), "fd", &table, 0) == 0 &&
           static_cast<rlim_t>(table.st_size) >= limit.rlim_cur;
}

Or<mode_t> Request::umask(Umasks& umasks) {
    if (const auto alive = executable(); !alive) return std::unexpected(alive.error());
    return ask([&](const Caller& who) { return umasks.of(who); });
}

Or<std::string> Request::executable() {
    if (executable_) return *executable_;
    auto found = ask([](const Caller& who) { return who.executable(); });
    if (found) executable_ = *found;
    return found;
}

}  // namespace reeve::keeper
