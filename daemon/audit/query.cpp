#include "daemon/audit/query.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <map>

#include "daemon/audit/encode.hpp"
#include "daemon/audit/line.hpp"
#include "daemon/audit/segment.hpp"
#include "daemon/audit/text.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;
using platform::Status;

// Cheap and never wrong about a line that fits: quotes inside strings are escaped, so that a member that is
// there stands there in these very bytes.
bool may_fit(const Filter& filter, std::string_view line) {
    const auto has = [&](const std::string& text) { return line.find(text) != std::string_view::npos; };
    if (filter.uid && !has("\"uid\":" + std::to_string(*filter.uid))) return false;
    if (!filter.session.empty() && !has("\"session\":" + quoted(filter.session))) return false;
    if (!filter.decision.empty() && !has("\"decision\":" + quoted(filter.decision))) return false;
    if (!filter.outcome.empty() && !has("\"outcome\":" + quoted(filter.outcome))) return false;
    return true;
}

bool action_fits(std::string_view wanted, std::string_view action) {
    if (wanted.ends_with(".*")) return action.starts_with(wanted.substr(0, wanted.size() - 1));
    return action == wanted;
}

// As bytes. `object` is a line or an object in it, `twin` the member that holds the bytes of a text that is not UTF-8.
std::string bytes_member(std::string_view object, std::string_view name, std::string_view twin) {
    if (const auto bytes = text_member(object, twin)) return from_base64(*bytes);
    return text_member(object, name).value_or("");
}

std::string resource_of(std::string_view line) {
    return bytes_member(line, "resource", "resource_b64");
}

// Of a rename, a link, a symbolic link.
std::string target_of(std::string_view line) {
    return bytes_member(member(line, "details").value_or(""), "target", "target_b64");
}

// "name:443" or "[::1]:443" without the port.
std::string_view host_of(std::string_view resource) {
    if (resource.starts_with('[')) return resource.substr(1, resource.find(']') - 1);
    // More than one colon: an address of IPv6 without a port.
    return resource.find(':') == resource.rfind(':') ? resource.substr(0, resource.find(':')) : resource;
}

bool host_fits(std::string_view wanted, std::string_view host) {
    return wanted.starts_with("*.") ? host.ends_with(wanted.substr(1)) : host == wanted;
}

class Reader {
  public:
    Reader(int directory, const Filter& filter, const Take& take, std::stop_token stop)
        : directory_(directory), filter_(filter), take_(take), stop_(std::move(stop)) {}

    // Reads on from where it was; false once the query is over.
    platform::Result<bool> read();

  private:
    platform::Result<bool> read(const Segment& segment);

    int directory_;
    const Filter& filter_;
    const Take& take_;
    std::stop_token stop_;
    std::map<std::string, std::uint64_t> offsets_;  // by name: how far it has been read
};

platform::Result<bool> Reader::read() {
    const auto segments = list_segments(directory_);
    if (!segments) return std::unexpected(segments.error());
    std::map<std::string, std::uint64_t> kept;
    for (const Segment& segment : *segments) {
        const auto known = offsets_.find(segment.name);
        kept[segment.name] = known == offsets_.end() ? 0 : known->second;
    }
    offsets_ = std::move(kept);  // those that retention removed are forgotten
    for (const Segment& segment : *segments) {
        if (segment.size <= offsets_[segment.name]) continue;
        // Nothing in a segment is newer than its last change. A second's grace: records are stamped before.
        if (filter_.since_ns && segment.changed_ns < *filter_.since_ns - 1'000'000'000) continue;
        const auto more = read(segment);
        if (!more || !*more) return more;
    }
    return true;
}

platform::Result<bool> Reader::read(const Segment& segment) {
    const auto file = open_segment(directory_, segment.name);
    if (!file && file.error().code == ENOENT) return true;
    if (!file) return std::unexpected(file.error());
    std::uint64_t& offset = offsets_[segment.name];
    LineReader lines(file->get(), offset);
    for (;;) {
        if (stop_.stop_requested()) return false;
        const auto line = lines.next();
        if (!line) return std::unexpected(line.error());
        if (!*line) return true;
        offset = lines.offset();
        if (fits(filter_, **line) && !take_(**line)) return false;
    }
}

}  // namespace

bool fits(const Filter& filter, std::string_view line) {
    if (!may_fit(filter, line)) return false;
    if (filter.since_ns) {
        const auto time = parse_timestamp(text_member(line, "timestamp").value_or(""));
        if (!time || *time < *filter.since_ns) return false;
    }
    if (!filter.session.empty() && text_member(line, "session") != filter.session) return false;
    if (filter.uid && number_member(member(line, "actor").value_or(""), "uid") != *filter.uid) return false;
    const std::string action = text_member(line, "action").value_or("");
    if (!filter.action.empty() && !action_fits(filter.action, action)) return false;
    if (!filter.decision.empty() &&
        text_member(member(line, "policy_evaluation").value_or(""), "decision") != filter.decision) {
        return false;
    }
    if (!filter.outcome.empty() && text_member(line, "outcome") != filter.outcome) return false;
    if (filter.path) {
        if (!action.starts_with("file.") && !action.starts_with("process.")) return false;
        if (!filter.path->matches(resource_of(line)) && !filter.path->matches(target_of(line))) return false;
    }
    if (!filter.host.empty()) {
        if (!action.starts_with("network.") || !host_fits(filter.host, host_of(resource_of(line))))
            return false;
    }
    return true;
}

Status query(int directory, const Filter& filter, bool follow, const Take& take, std::stop_token stop) {
    Reader reader(directory, filter, take, stop);
    if (!follow) {
        const auto more = reader.read();
        return more ? Status() : std::unexpected(more.error());
    }
    const Fd changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)),
        wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!changes || !wake) return platform::os_error("follow the audit log", "");
    // Watched before the first read, so that no change falls between the two.
    const std::string path = "/proc/self/fd/" + std::to_string(directory);
    if (::inotify_add_watch(changes.get(), path.c_str(),
                            IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF) < 0) {
        return platform::os_error("follow the audit log", path);
    }
    const std::stop_callback on_stop(stop, [&] { (void)::eventfd_write(wake.get(), 1); });
    for (;;) {
        const auto more = reader.read();
        if (!more) return std::unexpected(more.error());
        if (!*more || stop.stop_requested()) return {};
        pollfd waits[] = {{.fd = changes.get(), .events = POLLIN, .revents = 0},
                          {.fd = wake.get(), .events = POLLIN, .revents = 0}};
        if (::poll(waits, 2, -1) < 0 && errno != EINTR) return platform::os_error("follow the audit log", "");
        // That something changed is all that is needed.
        alignas(inotify_event) char events[4096];
        while (::read(changes.get(), events, sizeof events) > 0) {
        }
    }
}

}  // namespace reeve::audit
