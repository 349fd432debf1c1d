#include "daemon/keeper/umasks.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "platform/fd.hpp"

namespace reeve::keeper {
namespace {

// Whether the thread is at another system call, or is no more: /proc/TID/syscall begins with the call's number, or
// with a word where the thread runs.
bool is_elsewhere(pid_t tid) {
    char text[32];
    const platform::Fd file(
        ::open(("/proc/" + std::to_string(tid) + "/syscall").c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return errno == ENOENT || errno == ESRCH;
    const ssize_t got = ::read(file.get(), text, sizeof text);
    int number = -1;
    if (got <= 0 || std::from_chars(text, text + got, number).ec != std::errc())
        return got < 0 && errno == ESRCH;
    return number >= 0 && number != SYS_umask;
}

std::uint64_t coarse_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace

void Umasks::begin(pid_t tid) {
    const std::lock_guard lock(mutex_);
    tids_.push_back(tid);
    changing_ = static_cast<unsigned>(tids_.size());
}

void Umasks::settle_slowly(pid_t tid) {
    const std::lock_guard lock(mutex_);
    if (std::erase(tids_, tid) != 0) ++era_;
    changing_ = static_cast<unsigned>(tids_.size());
}

// Those that changed it and then wait for a child, as shells do.
void Umasks::settle_those_elsewhere() {
    constexpr std::uint64_t kPause = 20'000'000;  // ns between looks
    const std::lock_guard lock(mutex_);
    const std::uint64_t now = coarse_ns();
    if (now - looked_ns_ < kPause) return;
    looked_ns_ = now;
    if (std::erase_if(tids_, is_elsewhere) != 0) ++era_;
    changing_ = static_cast<unsigned>(tids_.size());
}

Or<mode_t> Umasks::of(const Caller& caller) {
    if (changing_ != 0) settle_those_elsewhere();
    const std::uint64_t era = era_;
    if (changing_ == 0)
        if (const auto known = caller.remembered_umask(era)) return *known;
    auto mask = caller.umask();
    // Nobody was changing one while it was read, or it is of an era that is over.
    if (mask && changing_ == 0) caller.remember_umask(era, *mask);
    return mask;
}

}  // namespace reeve::keeper
