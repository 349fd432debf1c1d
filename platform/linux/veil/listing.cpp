#include "platform/linux/veil/listing.hpp"

#include <algorithm>
#include <string_view>

namespace reeve::platform::veil {

OrErrno<std::shared_ptr<Listing>> Listing::make(std::uint64_t id, const Way* way, std::string path, Fd fd) {
    std::shared_ptr<Listing> listing(new Listing(id, way, std::move(path)));
    for (const char* self : {".", ".."})
        listing->own_.push_back({.name = self, .of = Of::self, .inode = id, .type = S_IFDIR});
    if (way != nullptr) {
        for (const auto& [name, child] : way->children)
            listing->own_.push_back({.name = name, .of = Of::way, .inode = child});
        // Where the host is read, it has these itself.
        if (!fd) {
            for (const auto& name : way->files)
                if (!way->children.contains(name)) listing->own_.push_back({.name = name, .of = Of::file});
        }
    }
    if (fd) {
        listing->stream_.reset(::fdopendir(fd.get()));
        if (!listing->stream_) return std::unexpected(errno);
        (void)fd.release();
    }
    return listing;
}

const Listing::Item* Listing::next() {
    const auto at = static_cast<std::size_t>(position);
    if (at < own_.size()) return &own_[at];
    if (!has_read_) has_read_ = read_host();
    return has_read_ ? &read_ : nullptr;
}

void Listing::take() {
    ++position;
    has_read_ = false;
}

void Listing::rewind() {
    position = 0;
    error = 0;
    has_read_ = false;
    if (stream_) ::rewinddir(stream_.get());
}

bool Listing::read_host() {
    while (stream_) {
        errno = 0;
        // One stream, one lock (Listing::mutex): readdir(3) says that this is safe.
        const dirent* entry = ::readdir(stream_.get());  // NOLINT(concurrency-mt-unsafe)
        if (entry == nullptr) {
            error = errno;
            return false;
        }
        const std::string_view name = entry->d_name;
        if (name == "." || name == ".." || (way != nullptr && way->children.contains(name))) continue;
        read_ = {.name = std::string(name),
                 .of = Of::host,
                 .inode = entry->d_ino,
                 .type = static_cast<mode_t>(DTTOIF(entry->d_type))};
        return true;
    }
    return false;
}

}  // namespace reeve::platform::veil
