#include "daemon/veil/askers.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <climits>

namespace reeve::veil {
namespace {

using platform::Fd;

std::string text_of(int proc, const std::string& name) {
    const Fd file(::openat(proc, name.c_str(), O_RDONLY | O_CLOEXEC));
    char text[4096];
    const ssize_t size = file ? ::read(file.get(), text, sizeof text) : 0;
    return {text, size > 0 ? static_cast<std::size_t>(size) : 0};
}

template <class T>
T number(std::string_view text) {
    const auto digits = std::min(text.find_first_of("0123456789"), text.size());
    T value = 0;
    std::from_chars(text.data() + digits, text.data() + text.size(), value);
    return value;
}

}  // namespace

pid_t Askers::process_in(std::string_view status) {
    constexpr std::string_view kKey = "\nTgid:";
    const auto at = status.find(kKey);
    return at == std::string_view::npos ? 0 : number<pid_t>(status.substr(at + kKey.size(), 16));
}

// proc(5): "pid (comm) state ppid …", the start is the 22nd; comm may hold anything, the last ')' ends it.
void Askers::read_stat(std::string_view stat, std::uint64_t ticks_per_second, Asker& asker) {
    const auto end = stat.rfind(')');
    if (end == std::string_view::npos) return;
    std::string_view rest = stat.substr(end + 1);
    for (int field = 3; field <= 22; ++field) {
        const auto begin = rest.find_first_not_of(' ');
        if (begin == std::string_view::npos) return;
        rest.remove_prefix(begin);
        const auto value = rest.substr(0, rest.find(' '));
        if (field == 4) asker.parent = number<pid_t>(value);
        if (field == 22) asker.start_ns = number<std::uint64_t>(value) * (1'000'000'000 / ticks_per_second);
        rest.remove_prefix(value.size());
    }
}

platform::Result<Askers> Askers::create() {
    Askers askers;
    askers.proc_.reset(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!askers.proc_) return platform::os_error("open", "/proc");
    const long ticks = ::sysconf(_SC_CLK_TCK);
    if (ticks > 0) askers.ticks_per_second_ = static_cast<std::uint64_t>(ticks);
    return askers;
}

Asker Askers::look(pid_t thread) const {
    Asker asker;
    asker.process = process_in(text_of(proc_.get(), std::to_string(thread) + "/status"));
    if (asker.process != 0)
        read_stat(text_of(proc_.get(), std::to_string(asker.process) + "/stat"), ticks_per_second_, asker);
    return asker;
}

Asker Askers::of(pid_t thread) {
    if (thread <= 0) return {};
    const auto now = Clock::now();
    Asker asker;
    {
        const std::scoped_lock lock(cache_->mutex);
        const auto found = cache_->known.find(thread);
        if (found != cache_->known.end() && now - found->second.since < kBelieved)
            asker = found->second.asker;
    }
    if (asker.process == 0) {
        asker = look(thread);
        const std::scoped_lock lock(cache_->mutex);
        if (cache_->known.size() >= kMostKnown) cache_->known.clear();
        if (asker.process != 0) cache_->known.insert_or_assign(thread, Known{asker, now});
    }
    if (asker.process == 0) return asker;
    // Not kept: a process executes something else at any time.
    char exe[PATH_MAX];
    const std::string link = std::to_string(asker.process) + "/exe";
    const ssize_t size = ::readlinkat(proc_.get(), link.c_str(), exe, sizeof exe);
    if (size > 0) asker.exe.assign(exe, static_cast<std::size_t>(size));
    return asker;
}

}  // namespace reeve::veil
