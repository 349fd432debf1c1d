#include "daemon/keeper/caller.hpp"

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <charconv>
#include <string_view>

namespace reeve::keeper {
namespace {

using platform::Fd;

// All of a file of /proc that is a page at most.
Or<std::string_view> read_small(int directory, const char* name, char (&buffer)[4096]) {
    const Fd file(::openat(directory, name, O_RDONLY | O_CLOEXEC));
    if (!file) return std::unexpected(errno);
    const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
    if (got <= 0) return std::unexpected(got < 0 ? errno : ESRCH);
    return std::string_view(buffer, static_cast<std::size_t>(got));
}

// The last word of the line "KEY:\t… word", which for ids of nested namespaces is the innermost one. The name of the
// program, which stands in the first line and may hold anything, has its newlines escaped (proc_pid_status(5)).
std::string_view last_word(std::string_view status, std::string_view key) {
    const std::size_t at = status.find(key);
    if (at == std::string_view::npos) return {};
    std::string_view line = status.substr(at + key.size());
    line = line.substr(0, line.find('\n'));
    return line.substr(line.find_last_of("\t ") + 1);
}

template <class T>
bool number(std::string_view word, T& out, int base = 10) {
    return !word.empty() && std::from_chars(word.begin(), word.end(), out, base).ptr == word.end();
}

// A field of proc_pid_stat(5), from the third on. Counted from the last parenthesis: the name before may hold any.
Or<std::int64_t> field_of(std::string_view stat, int wanted) {
    stat.remove_prefix(std::min(stat.size(), stat.rfind(')') + 1));
    for (int field = 3; field <= wanted && !stat.empty(); ++field) {
        stat.remove_prefix(1);
        const std::string_view word = stat.substr(0, stat.find(' '));
        std::int64_t value = 0;
        if (field == wanted && number(word, value)) return value;
        stat.remove_prefix(word.size());
    }
    return std::unexpected(ESRCH);
}

}  // namespace

Or<std::shared_ptr<const Caller>> Caller::open(pid_t tid) {
    auto caller = std::make_shared<Caller>();
    caller->tid_ = tid;
    const std::string directory = "/proc/" + std::to_string(tid);
    caller->proc_.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!caller->proc_) return std::unexpected(errno);
    if (!caller->read_status()) return std::unexpected(ESRCH);
    return caller;
}

bool Caller::read_status() {
    char buffer[4096];
    auto status = read_small(proc_.get(), "status", buffer);
    if (!status || !number(last_word(*status, "\nTgid:"), process_) ||
        !number(last_word(*status, "\nPPid:"), parent_) ||
        !number(last_word(*status, "\nNStgid:"), inner_process_) ||
        !number(last_word(*status, "\nNSpid:"), inner_thread_))
        return false;
    // Of the process: /proc/TID/stat of another thread has that thread's start.
    const std::string stat = tid_ == process_ ? "stat" : "/proc/" + std::to_string(process_) + "/stat";
    auto text = read_small(proc_.get(), stat.c_str(), buffer);
    if (!text) return false;
    const auto ticks = field_of(*text, 22);  // of USER_HZ
    static const auto ns_per_tick = 1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    if (ticks) start_ns_ = static_cast<std::uint64_t>(*ticks) * ns_per_tick;
    return ticks.has_value();
}

Or<std::string> Caller::executable() const {
    char buffer[PATH_MAX];
    const ssize_t length = ::readlinkat(proc_.get(), "exe", buffer, sizeof buffer);
    if (length < 0) return std::unexpected(errno);
    return std::string(buffer, static_cast<std::size_t>(length));
}

Or<mode_t> Caller::umask() const {
    char buffer[4096];
    auto status = read_small(proc_.get(), "status", buffer);
    if (!status) return std::unexpected(status.error());
    mode_t mask = 0;
    if (!number(last_word(*status, "\nUmask:"), mask, 8)) return std::unexpected(ESRCH);
    return mask;
}

Or<unsigned> Caller::pseudo_terminal() const {
    char buffer[4096];
    auto stat = read_small(proc_.get(), "stat", buffer);
    if (!stat) return std::unexpected(stat.error());
    const auto device = field_of(*stat, 7);
    if (!device) return std::unexpected(device.error());
    // In the kernel's new encoding; majors 136 to 143 are /dev/pts, 256 each.
    const auto bits = static_cast<unsigned>(*device);
    const unsigned major = bits >> 8 & 0xfff, minor = (bits & 0xff) | (bits >> 12 & 0xfff00);
    if (major < 136 || major > 143) return std::unexpected(ENXIO);
    return (major - 136) * 256 + minor;
}

int interruption_of(pid_t tid) {
    const Fd process(::open(("/proc/" + std::to_string(tid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    char buffer[4096];
    if (!process) return 0;
    auto status = read_small(process.get(), "status", buffer);
    std::uint64_t own = 0, shared = 0, blocked = 0;
    unsigned threads = 0;
    if (!status || !number(last_word(*status, "\nSigPnd:"), own, 16) ||
        !number(last_word(*status, "\nShdPnd:"), shared, 16) ||
        !number(last_word(*status, "\nSigBlk:"), blocked, 16) ||
        !number(last_word(*status, "\nThreads:"), threads))
        return 0;
    if ((own & ~blocked) != 0) return kRestart;
    if ((shared & ~blocked) == 0) return 0;
    return threads == 1 ? kRestart : EINTR;
}

Or<std::shared_ptr<const Caller>> Callers::find(pid_t tid, bool fresh, bool& made) {
    made = false;
    {
        const std::lock_guard lock(mutex_);
        const auto known = by_tid_.find(tid);
        if (known != by_tid_.end() && !fresh) {
            order_.splice(order_.begin(), order_, known->second);
            return order_.front();
        }
    }
    auto caller = Caller::open(tid);
    if (!caller) return caller;
    made = true;
    const std::lock_guard lock(mutex_);
    if (const auto known = by_tid_.find(tid); known != by_tid_.end()) {
        order_.erase(known->second);
        by_tid_.erase(known);
    }
    order_.push_front(*caller);
    by_tid_[tid] = order_.begin();
    if (order_.size() > kMost) {
        by_tid_.erase(order_.back()->tid());
        order_.pop_back();
    }
    return caller;
}

}  // namespace reeve::keeper
