#include "daemon/audit/segment.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>

#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/encode.hpp"
#include "daemon/audit/line.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;
using platform::os_error;
using platform::Result;
using platform::Status;

constexpr const char* kLockName = "audit.lock";

std::int64_t nanoseconds(const timespec& time) {
    return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

// audit-00000000000000000001-20261123T190211Z.jsonl: sorts by age also in a directory listing.
std::string segment_name(std::uint64_t first_seq, std::int64_t realtime_ns) {
    std::string time = timestamp(realtime_ns).substr(0, 19);
    std::erase_if(time, [](char c) { return c == '-' || c == ':'; });
    char name[64];
    std::snprintf(name, sizeof name, "audit-%020llu-%sZ.jsonl", static_cast<unsigned long long>(first_seq),
                  time.c_str());
    return name;
}

bool is_segment_name(std::string_view name) {
    return name.starts_with("audit-") && name.ends_with(".jsonl");
}

std::uint64_t first_seq(int fd) {
    char head[128];
    const ssize_t got = ::pread(fd, head, sizeof head, 0);
    if (got <= 0) return 0;
    return seq_of_start({head, static_cast<std::size_t>(got)}).value_or(0);
}

// Reads one segment to its end into `tail`; false if it has no whole line.
Result<bool> read_tail(int directory, const Segment& segment, Tail& tail) {
    auto file = open_segment(directory, segment.name);
    if (!file) return std::unexpected(file.error());
    LineReader lines(file->get());
    std::optional<Chain> chain;
    std::uint64_t count = 0;
    for (;;) {
        const auto text = lines.next();
        if (!text) return std::unexpected(text.error());
        if (!*text) break;
        ++count;
        const auto line = parse_line(**text);
        // The first line's own value is taken as it stands: whether it follows is for verify to say.
        const bool follows =
            line && (!chain || (line->seq == tail.seq + 1 && chain->add(line->body) == line->chain));
        if (!follows && tail.damaged_line == 0) {
            tail.damaged_line = count;
            tail.damaged_segment = segment.name;
        }
        if (!line) continue;
        if (!chain) {
            chain.emplace(line->chain);
            tail.started_ns = parse_timestamp(text_member(line->body, "timestamp").value_or("")).value_or(0);
        }
        chain->restart(line->chain);
        tail.seq = line->seq;
        tail.chain = line->chain;
        if (auto jws = checkpoint_of(line->body)) tail.last_checkpoint = std::move(*jws);
    }
    tail.name = segment.name;
    tail.end = lines.offset();
    tail.torn = lines.rest();
    tail.file_size = tail.end + tail.torn.size();
    return count > 0;
}

}  // namespace

Result<Fd> open_directory(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return os_error("make the directory", path);
    Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return os_error("open the directory", path);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return os_error("look at the directory", path);
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return platform::error("use the directory", path,
                               "it belongs to uid " + std::to_string(status.st_uid),
                               "it must belong to root");
    }
    if ((status.st_mode & 022) != 0) {
        return platform::error("use the directory", path, "group or others can write it",
                               "take write permission from group and others");
    }
    return fd;
}

Result<Fd> lock_writer(int directory) {
    Fd fd(::openat(directory, kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return os_error("open", kLockName);
    struct flock lock {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0
    };
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
        return os_error("write the audit log", "", errno, "another reeved writes it: stop that one");
    }
    return fd;
}

bool has_writer(int directory) {
    const Fd fd(::openat(directory, kLockName, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    struct flock lock {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0, .l_pid = 0
    };
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

Result<Fd> open_segment(int directory, const std::string& name) {
    Fd fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!fd) return os_error("open the segment", name);
    return fd;
}

Result<std::vector<Segment>> list_segments(int directory) {
    // A description of its own: a duplicate would share the place in the listing.
    Fd fd(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return os_error("list the directory of the audit log", "");
    const std::unique_ptr<DIR, decltype([](DIR* dir) { ::closedir(dir); })> listing(::fdopendir(fd.get()));
    if (!listing) return os_error("list the directory of the audit log", "");
    (void)fd.release();  // closedir() closes it

    std::vector<Segment> segments;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(listing.get());  // NOLINT(concurrency-mt-unsafe): a stream of our own
        if (entry == nullptr) break;
        if (!is_segment_name(entry->d_name)) continue;
        const auto file = open_segment(directory, entry->d_name);
        struct stat status {};
        if (!file || ::fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
        segments.push_back({.name = entry->d_name,
                            .first_seq = first_seq(file->get()),
                            .size = static_cast<std::uint64_t>(status.st_size),
                            .changed_ns = nanoseconds(status.st_mtim)});
    }
    if (errno != 0) return os_error("list the directory of the audit log", "");
    std::ranges::sort(segments, {}, [](const Segment& s) { return std::pair(s.first_seq, s.name); });
    return segments;
}

Result<Tail> find_tail(int directory) {
    const auto segments = list_segments(directory);
    if (!segments) return std::unexpected(segments.error());
    // A segment without a single whole line has no first seq and sorts to the front. It was being started
    // when the writer died: it is started again.
    Tail unborn;
    for (const Segment& segment : *segments) {
        if (segment.first_seq != 0) continue;
        Tail tail;
        const auto has_lines = read_tail(directory, segment, tail);
        if (!has_lines) return std::unexpected(has_lines.error());
        if (!*has_lines) unborn = std::move(tail);
    }
    for (auto segment = segments->rbegin(); segment != segments->rend() && segment->first_seq != 0;
         ++segment) {
        Tail tail;
        const auto has_lines = read_tail(directory, *segment, tail);
        if (!has_lines) return std::unexpected(has_lines.error());
        if (!*has_lines) {  // its first line is torn behind its seq
            unborn = std::move(tail);
            continue;
        }
        if (!unborn.name.empty()) {
            tail.name = unborn.name;
            tail.end = 0;
            tail.file_size = unborn.file_size;
            tail.torn = unborn.torn;
        }
        return tail;
    }
    return unborn;
}

Status SegmentWriter::resume(const std::string& name, std::uint64_t end) {
    Fd file(::openat(directory_, name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return os_error("go on with the segment", name);
    file_ = std::move(file);
    name_ = name;
    offset_ = end;
    stale_behind_ = true;
    return {};
}

Status SegmentWriter::start(std::uint64_t first_seq, std::int64_t realtime_ns) {
    if (file_) {
        if (const auto synced = sync(); !synced) return synced;
    }
    // A file of that name that is not empty is never touched: the next second names another.
    std::string name;
    Fd file;
    for (;; realtime_ns += 1'000'000'000) {
        name = segment_name(first_seq, realtime_ns);
        file.reset(::openat(directory_, name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file) return os_error("start the segment", name);
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) return os_error("look at the segment", name);
        if (status.st_size == 0) break;
    }
    if (::fsync(directory_) != 0) return os_error("make durable the segment", name);
    file_ = std::move(file);
    name_ = std::move(name);
    offset_ = 0;
    stale_behind_ = false;
    return {};
}

Status SegmentWriter::write(std::string_view bytes, std::size_t& done) {
    if (bytes.empty()) return {};
    while (!bytes.empty()) {
        const ssize_t wrote = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset_));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return os_error("write the segment", name_);
        offset_ += static_cast<std::uint64_t>(wrote);
        done += static_cast<std::size_t>(wrote);
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    if (stale_behind_) {
        if (::ftruncate(file_.get(), static_cast<off_t>(offset_)) != 0)
            return os_error("cut off the segment", name_);
        stale_behind_ = false;
    }
    return {};
}

Status SegmentWriter::sync() {
    if (::fdatasync(file_.get()) != 0) return os_error("make durable the segment", name_);
    return {};
}

Status remove_segments(int directory, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (::unlinkat(directory, name.c_str(), 0) != 0 && errno != ENOENT)
            return os_error("remove the segment", name);
    }
    if (!names.empty() && ::fsync(directory) != 0)
        return os_error("make durable the removal of", names.back());
    return {};
}

}  // namespace reeve::audit
