// Learning what the processes of a session open, change and run: fanotify notification marks, their events,
// and what turns an event's file handle into a path.
//
// It does not cover: what nobody opens (stat, readlink, rename, unlink, mkdir, attributes raise no event on a
// mount mark: those are the keeper's), O_PATH opens, reads of an fd that was opened outside, reads and writes
// after the open, memfds, and programs that an interpreter or `ld.so PROG` loads by an ordinary open (they
// are kOpened). Equal events of one process that wait in the kernel's queue together are one: the kernel
// keeps no count of them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/confine.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::watch {

// --- marks: for reeve-confine ---

// Marks a mount, also a detached one that no move_mount() has put in its place yet, so that `group` tells of
// what `log` (confine::Log bits, may be 0) names, and of every execution, because the watch follows by those
// which program a process runs. `mount` is an fd on the mount's root, O_PATH is enough; a root that is not a
// directory is reached through /proc/self/fd, which must then be mounted. Marks of one mount add up.
//
// Where refuses_handles(error) holds, the file system cannot tell file handles, or not ones that are unique:
// the mount then belongs to the group that reports descriptors. Needs CAP_SYS_ADMIN in the initial user
// namespace.
Status mark_mount(int group, int mount, unsigned log);
bool refuses_handles(const Error& error);

// --- groups and their events ---

enum class Reports { kHandles, kDescriptors };
enum class Queue {
    kUnlimited,
    kLimited
};  // kLimited (fs.fanotify.max_queued_events) is for tests of overflow

// A fanotify group, non-blocking and close-on-exec. An unlimited queue costs 145 bytes of kernel memory an
// event.
Result<Fd> open_group(Reports reports, Queue queue = Queue::kUnlimited);

// What one event says happened; a mask, because the kernel merges events of one process on one object.
enum Kind : unsigned { kOpened = 1, kListed = 2, kWritten = 4, kExecuted = 8 };

// One event. The views point into the buffer that it was parsed from.
struct Event {
    unsigned kinds = 0;
    bool overflow =
        false;      // events were dropped between the one before this and the next; nothing else is set
    pid_t pid = 0;  // thread group, as the reader's pid namespace numbers it; 0: outside of it
    int fd = -1;    // the object, where the group reports descriptors
    std::string_view directory;  // file system id and handle of the directory, as the kernel wrote them
    std::string_view name;       // in that directory; "." for the directory itself
};

// Parses what read() gave. Pure. Unknown information records are stepped over; anything that does not fit is
// an error, and `events` then holds what came before it.
Status parse(std::span<const char> bytes, std::vector<Event>& events);

// Reads one group. One thread at a time.
class Reader {
  public:
    Reader(Fd group, Reports reports);
    Reader(Reader&&) noexcept = default;
    Reader& operator=(Reader&&) noexcept = default;
    ~Reader();
    // At most kMostEvents; none when the queue is empty. They, and their descriptors, live until the next
    // call.
    Result<std::span<const Event>> read();
    int group() const { return group_.get(); }
    static constexpr std::size_t kMostEvents = 2560;

  private:
    void close_descriptors();
    Fd group_;
    std::size_t size_;
    std::unique_ptr<char[]> buffer_;
    std::vector<Event> events_;
};

// --- paths ---

// A tree that a session has: what is logged in it, and how handles on its file system can be opened.
struct Place {
    std::string path;  // where it is inside; for a zone of the host that is its path on the host too
    Fd root;  // on the host's own mount at that path, or a detached clone of a private mount; O_PATH will do.
              // For a zone that is a file: its parent directory
    unsigned log = 0;  // confine::Log bits
    bool of_host = true;
};

struct Location {
    std::uint64_t id = 0;        // of the directory; not of its path, which can change
    std::string_view directory;  // its path as it was at some moment after the access; empty: not known
    std::string_view name;       // "." for the directory itself
    unsigned log = 0;            // of the innermost place that holds it, else of all on its file system
    bool deleted =
        false;  // the directory is gone: its path is the last one, empty where nobody had asked before
    // Writes the path into `out` and gives it.
    std::string_view path(std::string& out) const;
    bool equals(std::string_view path) const;
};

// Where things are. Keeps a descriptor on each directory that it has seen lately, and asks the kernel for
// that directory's path once in each turn: a rename, of it or of one above it, never leaves a stale path
// behind.
class Locator {
  public:
    // Descriptors that it may hold; at least the number of places and one more.
    explicit Locator(std::size_t most_directories = 1024);
    Status add(Place place);
    // To be called after events were read and before the first of them is located: paths are asked for anew.
    void begin_turn() { ++turn_; }
    // The views live until the next call.
    Location locate(const Event& event);
    // Bytes of the regular file that its name leads to now; only on file systems that answer by themselves, and where
    // the event was located in this turn. Nobody else's server is asked: it may never answer.
    std::optional<std::uint64_t> size(const Event& event) const;

  private:
    struct Mount;
    struct Directory;
    struct ByBytes {
        using is_transparent = void;
        std::size_t operator()(std::string_view bytes) const { return std::hash<std::string_view>{}(bytes); }
    };
    using Directories = std::list<Directory>;

    Directory& directory(std::string_view handle);
    void open(Directory& directory, std::string_view handle);
    void refresh(Directory& directory);
    unsigned log_of(std::string_view path, const Mount* mount, bool& inside) const;
    Location locate_descriptor(int fd);

    std::vector<std::unique_ptr<Mount>> mounts_;
    std::vector<Place> places_;  // longest path first; the roots are the mounts'
    Directories directories_;    // the last used first
    std::unordered_map<std::string, Directories::iterator, ByBytes, std::equal_to<>> by_handle_;
    std::size_t most_;
    std::uint64_t turn_ = 1, next_id_ = 1;
    std::string path_;  // of the last event that came with a descriptor

  public:
    Locator(const Locator&) = delete;
    Locator& operator=(const Locator&) = delete;
    ~Locator();
};

// --- processes ---

struct Process {
    pid_t pid = 0;
    std::uint64_t start_ns = 0;  // since boot, in steps of a clock tick (10 ms)
    pid_t parent = 0;
    char state = 0;                   // proc_pid_stat(5): 'R' runs, 'T' was stopped, ...
    std::string exe;                  // empty where it has none or is a zombie
    std::uint64_t pid_namespace = 0;  // inode number; 0 for a zombie
    Fd pidfd;
};

// The process that has this number now; nothing if there is none. Race-free: all of it is of the pidfd's
// process.
std::optional<Process> look_up(pid_t pid);

// Tells which of the processes that it was given have ended. Nobody is woken by an end: it shows when asked
// for.
class Ends {
  public:
    Ends();
    Status add(const Fd& pidfd, std::uint64_t token);
    // Gives each token once; `most` at a time, so ask again until it is empty. The descriptor may be closed
    // then.
    std::span<const std::uint64_t> collect();

  private:
    Fd set_;
    std::vector<std::uint64_t> tokens_;
};

}  // namespace reeve::platform::watch
