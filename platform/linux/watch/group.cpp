#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

// A read of descriptors makes one descriptor an event, so that it takes few; an event with a name of 255
// bytes and a handle of 128 fits many times over.
constexpr std::size_t kDescriptorBytes = 64 * FAN_EVENT_METADATA_LEN;
constexpr std::size_t kHandleBytes = 128 * 1024;

// An event with a handle has metadata, one header, a file system id and a handle of at least 8 bytes and a
// name.
constexpr std::size_t kLeastEvent = FAN_EVENT_METADATA_LEN + sizeof(fanotify_event_info_fid) + 8 + 8 + 4;
static_assert(kHandleBytes / kLeastEvent <= Reader::kMostEvents);

// FAN_ONDIR shows only in events with handles.
bool is_directory(int fd) {
    struct stat object;
    return fstat(fd, &object) == 0 && S_ISDIR(object.st_mode);
}

}  // namespace

Result<Fd> open_group(Reports reports, Queue queue) {
    unsigned flags = FAN_CLASS_NOTIF | FAN_NONBLOCK | FAN_CLOEXEC;
    if (reports == Reports::kHandles) flags |= FAN_REPORT_DFID_NAME;
    if (queue == Queue::kUnlimited) flags |= FAN_UNLIMITED_QUEUE;
    // The object is opened anew for each event that reports a descriptor: never wait for a FIFO, leave no
    // trace in access times, and do not become the controlling terminal's owner. A 64-bit kernel adds
    // O_LARGEFILE itself.
    const int fd = fanotify_init(flags, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
    if (fd >= 0) return Fd(fd);
    const int code = errno;
    std::string todo;
    if (code == EMFILE)
        todo =
            "end a session, or raise the sysctl fs.fanotify.max_user_groups (128 by default; a session takes "
            "one or "
            "two) or the daemon's limit of open files";
    if (code == EPERM) todo = "it needs CAP_SYS_ADMIN in the initial user namespace";
    if (code == EINVAL) todo = "it needs Linux 5.17";
    if (code == ENOSYS) todo = "it needs a kernel with CONFIG_FANOTIFY";
    return os_error("make a group of file events", "", code, std::move(todo));
}

Reader::Reader(Fd group, Reports reports)
    : group_(std::move(group)),
      size_(reports == Reports::kHandles ? kHandleBytes : kDescriptorBytes),
      buffer_(std::make_unique_for_overwrite<char[]>(size_)) {}

Reader::~Reader() {
    close_descriptors();
}

void Reader::close_descriptors() {
    for (const Event& event : events_) Fd used(event.fd);
    events_.clear();
}

Result<std::span<const Event>> Reader::read() {
    close_descriptors();
    ssize_t size;
    do size = ::read(group_.get(), buffer_.get(), size_);
    while (size < 0 && errno == EINTR);
    if (size < 0 && errno == EAGAIN) return std::span<const Event>{};
    if (size < 0) {
        // For a group of descriptors the event is gone (EMFILE, ENFILE, or what opening the object gave): the
        // caller counts one event that was dropped.
        if (errno == EMFILE || errno == ENFILE)
            return os_error("read the file events", "", errno, "raise the daemon's limit of open files");
        return os_error("read the file events", "");
    }
    const Status parsed = parse({buffer_.get(), static_cast<std::size_t>(size)}, events_);
    if (!parsed) return std::unexpected(parsed.error());
    for (Event& event : events_) {
        if (event.fd >= 0 && event.kinds & kOpened && is_directory(event.fd))
            event.kinds ^= kOpened | kListed;
    }
    return std::span<const Event>(events_);
}

}  // namespace reeve::platform::watch
