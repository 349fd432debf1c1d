// utime, utimes, futimesat, utimensat: one change of an object's times, with four ways to say it.
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <utime.h>

#include <optional>

#include "daemon/keeper/calls.hpp"
#include "daemon/keeper/change.hpp"

namespace reeve::keeper {
namespace {

using policy::FileAction;

struct Times {
    timespec both[2] = {};
    bool now = false;  // no times were given: for that write permission is enough
};

int read_times(const Request& request, std::uint64_t address, Times& times) {
    times.now = address == 0;
    return times.now ? 0 : request.memory(address, times.both, sizeof times.both);
}

int read_microseconds(const Request& request, std::uint64_t address, Times& times) {
    timeval both[2];
    times.now = address == 0;
    if (times.now) return 0;
    if (const int code = request.memory(address, both, sizeof both); code != 0) return code;
    for (int i = 0; i < 2; ++i) {
        if (both[i].tv_usec < 0 || both[i].tv_usec >= 1'000'000) return EINVAL;
        times.both[i] = {both[i].tv_sec, both[i].tv_usec * 1000};
    }
    return 0;
}

int read_seconds(const Request& request, std::uint64_t address, Times& times) {
    utimbuf both{};
    times.now = address == 0;
    if (times.now) return 0;
    if (const int code = request.memory(address, &both, sizeof both); code != 0) return code;
    times.both[0] = {both.actime, 0};
    times.both[1] = {both.modtime, 0};
    return 0;
}

int change_times(int object, const Times& times) {
    return code_of(::utimensat(object, "", times.now ? nullptr : times.both, AT_EMPTY_PATH));
}

Answer times_at(Work& work, int directory, std::uint64_t path_address, const Times& times, int flags) {
    if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) != 0) return Answer::fail(EINVAL);
    const auto change = [&](int object) { return change_times(object, times); };
    if (path_address == 0 && directory != AT_FDCWD) {
        if (flags != 0) return Answer::fail(EINVAL);
        return change_descriptor(work, directory, false, FileAction::attributes, change);
    }
    std::string path;
    if (const int code = work.request.text(path_address, PATH_MAX, ENAMETOOLONG, path); code != 0)
        return Answer::fail(code);
    return change_path(work, directory, path, flags, FileAction::attributes, change);
}

}  // namespace

Answer do_utime(Work& work) {
    Times times;
    if (const int code = read_seconds(work.request, work.request.word(1), times); code != 0)
        return Answer::fail(code);
    return times_at(work, AT_FDCWD, work.request.word(0), times, 0);
}
Answer do_utimes(Work& work) {
    Times times;
    if (const int code = read_microseconds(work.request, work.request.word(1), times); code != 0)
        return Answer::fail(code);
    return times_at(work, AT_FDCWD, work.request.word(0), times, 0);
}
Answer do_futimesat(Work& work) {
    Times times;
    if (const int code = read_microseconds(work.request, work.request.word(2), times); code != 0)
        return Answer::fail(code);
    return times_at(work, work.request.number(0), work.request.word(1), times, 0);
}
Answer do_utimensat(Work& work) {
    Times times;
    if (const int code = read_times(work.request, work.request.word(2), times); code != 0)
        return Answer::fail(code);
    // Nothing to be changed: the kernel does not look at the path then.
    if (!times.now && times.both[0].tv_nsec == UTIME_OMIT && times.both[1].tv_nsec == UTIME_OMIT)
        return Answer::done();
    return times_at(work, work.request.number(0), work.request.word(1), times, work.request.number(3));
}

}  // namespace reeve::keeper
