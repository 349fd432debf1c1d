#include <sys/fanotify.h>

#include <cstring>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

template <class T>
bool take(std::span<const char> bytes, T& value) {
    if (bytes.size() < sizeof value) return false;
    std::memcpy(&value, bytes.data(), sizeof value);
    return true;
}

unsigned kinds_of(std::uint64_t mask) {
    unsigned kinds = 0;
    if (mask & FAN_OPEN) kinds |= mask & FAN_ONDIR ? kListed : kOpened;
    if (mask & FAN_CLOSE_WRITE) kinds |= kWritten;
    if (mask & FAN_OPEN_EXEC) kinds |= kExecuted;
    return kinds;
}

// struct fanotify_event_info_fid, fanotify(7): header, file system id, struct file_handle with its bytes, and
// for DFID_NAME a name that ends with a zero; padding may follow.
bool parse_directory(std::span<const char> record, bool named, Event& event) {
    constexpr std::size_t kId = sizeof(fanotify_event_info_header);
    constexpr std::size_t kHandle = kId + sizeof(__kernel_fsid_t);
    constexpr std::size_t kBytes = kHandle + sizeof(unsigned) + sizeof(int);
    unsigned size = 0;
    if (record.size() < kBytes || !take(record.subspan(kHandle), size)) return false;
    if (size > record.size() - kBytes) return false;
    event.directory = {record.data() + kId, kBytes - kId + size};
    if (!named) return true;
    const std::span<const char> rest = record.subspan(kBytes + size);
    const void* end = std::memchr(rest.data(), 0, rest.size());
    if (end == nullptr) return false;
    event.name = {rest.data(), static_cast<std::size_t>(static_cast<const char*>(end) - rest.data())};
    return true;
}

bool parse_information(std::span<const char> bytes, Event& event) {
    while (!bytes.empty()) {
        fanotify_event_info_header header;
        if (!take(bytes, header) || header.len < sizeof header || header.len > bytes.size()) return false;
        const std::span<const char> record = bytes.first(header.len);
        const bool named = header.info_type == FAN_EVENT_INFO_TYPE_DFID_NAME;
        if ((named || header.info_type == FAN_EVENT_INFO_TYPE_DFID) && !parse_directory(record, named, event))
            return false;
        bytes = bytes.subspan(header.len);
    }
    return true;
}

}  // namespace

Status parse(std::span<const char> bytes, std::vector<Event>& events) {
    const auto broken = [](std::string why) { return error("read the file events", "", std::move(why)); };
    while (!bytes.empty()) {
        fanotify_event_metadata metadata;
        if (!take(bytes, metadata)) return broken("an event is cut short");
        if (metadata.vers != FANOTIFY_METADATA_VERSION)
            return broken("the kernel speaks version " + std::to_string(metadata.vers) +
                          " of the event format");
        if (metadata.metadata_len < sizeof metadata || metadata.event_len < metadata.metadata_len ||
            metadata.event_len > bytes.size())
            return broken("an event's length does not fit");
        Event event;
        event.kinds = kinds_of(metadata.mask);
        event.overflow = (metadata.mask & FAN_Q_OVERFLOW) != 0;
        event.pid = metadata.pid;
        event.fd = metadata.fd;
        const std::size_t start = metadata.metadata_len;
        if (!parse_information(bytes.subspan(start, metadata.event_len - start), event)) {
            event.directory = event.name = {};
            events.push_back(event);  // so that its descriptor is closed
            return broken("an information record does not fit");
        }
        events.push_back(event);
        bytes = bytes.subspan(metadata.event_len);
    }
    return {};
}

}  // namespace reeve::platform::watch
