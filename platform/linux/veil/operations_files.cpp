// Open files and directories: what they were opened for was decided then, and is done on their descriptors.
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "platform/linux/veil/listing.hpp"
#include "platform/linux/veil/operations.hpp"

namespace reeve::platform::veil {
namespace {

OpenFile& file_of(const fuse_file_info* info) {
    return *in_handle<OpenFile>(info->fh);
}

void hand_over(fuse_file_info* info, std::unique_ptr<OpenFile> file) {
    info->direct_io = file->direct;
    info->fh = reinterpret_cast<std::uint64_t>(file.release());
}

std::unique_ptr<OpenFile> take_back(const fuse_file_info* info) {
    return std::unique_ptr<OpenFile>(&file_of(info));
}

void reply_done(fuse_req_t request, int result) {
    ::fuse_reply_err(request, result == 0 ? 0 : errno);
}

void open_file(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
    Veil& veil = veil_of(request);
    auto file = veil.open(who(request), id, info->flags);
    if (!file) {
        ::fuse_reply_err(request, file.error());
        return;
    }
    hand_over(info, std::move(*file));
    // Who asked is gone, and there will be no release.
    if (::fuse_reply_open(request, info) == -ENOENT) veil.closed(take_back(info));
}

void create_file(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
    Veil& veil = veil_of(request);
    auto created = veil.create(who(request), parent, name, mode, info->flags);
    if (!created) {
        ::fuse_reply_err(request, created.error());
        return;
    }
    hand_over(info, std::move(created->file));
    const fuse_entry_param param = entry_param(created->entry);
    if (::fuse_reply_create(request, &param, info) == -ENOENT) {
        veil.closed(take_back(info));
        veil.forget(created->entry.id, 1);
    }
}

void read_file(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
    thread_local std::vector<char> buffer;
    if (buffer.size() < size) buffer.resize(size);
    std::size_t done = 0;
    // The kernel takes less than it asked for as the end of the file.
    while (done < size) {
        const ssize_t got = ::pread(file_of(info).fd.get(), buffer.data() + done, size - done,
                                    offset + static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && done == 0) return reply_done(request, -1);
        if (got <= 0) break;
        done += static_cast<std::size_t>(got);
    }
    ::fuse_reply_buf(request, buffer.data(), done);
}

void write_file(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
                fuse_file_info* info) {
    const OpenFile& file = file_of(info);
    iovec part{.iov_base = const_cast<char*>(bytes), .iov_len = size};
    const bool append = file.append && info->writepage == 0;
    const ssize_t written = append ? ::pwritev2(file.fd.get(), &part, 1, 0, RWF_APPEND)
                                   : ::pwrite(file.fd.get(), bytes, size, offset);
    if (written < 0) return reply_done(request, -1);
    ::fuse_reply_write(request, static_cast<std::size_t>(written));
}

// Some file systems tell of a failed write only when a descriptor is closed.
void flush_file(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    const Fd copy(::fcntl(file_of(info).fd.get(), F_DUPFD_CLOEXEC, 0));
    reply_done(request, copy ? 0 : -1);
}

void release_file(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    veil_of(request).closed(take_back(info));
    ::fuse_reply_err(request, 0);
}

void sync_file(fuse_req_t request, fuse_ino_t, int data_only, fuse_file_info* info) {
    const int fd = file_of(info).fd.get();
    reply_done(request, data_only != 0 ? ::fdatasync(fd) : ::fsync(fd));
}

void allocate(fuse_req_t request, fuse_ino_t, int mode, off_t offset, off_t length, fuse_file_info* info) {
    reply_done(request, ::fallocate(file_of(info).fd.get(), mode, offset, length));
}

void seek(fuse_req_t request, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
    const off_t found = ::lseek(file_of(info).fd.get(), offset, whence);
    if (found < 0) return reply_done(request, -1);
    ::fuse_reply_lseek(request, found);
}

void copy_range(fuse_req_t request, fuse_ino_t, off_t from, fuse_file_info* in, fuse_ino_t, off_t to,
                fuse_file_info* out, std::size_t length, int flags) {
    const ssize_t copied = ::copy_file_range(file_of(in).fd.get(), &from, file_of(out).fd.get(), &to, length,
                                             static_cast<unsigned>(flags));
    if (copied < 0) return reply_done(request, -1);
    ::fuse_reply_write(request, static_cast<std::size_t>(copied));
}

// --- directories

using ListingRef = std::shared_ptr<Listing>;

ListingRef& listing_of(const fuse_file_info* info) {
    return *in_handle<ListingRef>(info->fh);
}

void open_directory(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
    auto listing = veil_of(request).open_directory(who(request), id);
    if (!listing) {
        ::fuse_reply_err(request, listing.error());
        return;
    }
    auto reference = std::make_unique<ListingRef>(std::move(*listing));
    info->fh = reinterpret_cast<std::uint64_t>(reference.get());
    if (::fuse_reply_open(request, info) != -ENOENT) (void)reference.release();
}

void read_directory(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
    std::vector<char> buffer(size);
    std::size_t used = 0;
    const auto add = [&](const char* name, const struct stat& kind, off_t next) {
        const std::size_t needed =
            ::fuse_add_direntry(request, buffer.data() + used, size - used, name, &kind, next);
        if (needed > size - used) return false;
        used += needed;
        return true;
    };
    const int error = veil_of(request).list(*listing_of(info), offset, add);
    if (error != 0 && used == 0) {
        ::fuse_reply_err(request, error);
    } else {
        ::fuse_reply_buf(request, buffer.data(), used);
    }
}

void release_directory(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
    const std::unique_ptr<ListingRef> reference(&listing_of(info));
    ::fuse_reply_err(request, 0);
}

void sync_directory(fuse_req_t request, fuse_ino_t, int, fuse_file_info* info) {
    const int fd = listing_of(info)->descriptor();
    reply_done(request, fd < 0 ? 0 : ::fsync(fd));
}

}  // namespace

void add_file_operations(fuse_lowlevel_ops& ops) {
    ops.open = open_file;
    ops.create = create_file;
    ops.read = read_file;
    ops.write = write_file;
    ops.flush = flush_file;
    ops.release = release_file;
    ops.fsync = sync_file;
    ops.fallocate = allocate;
    ops.lseek = seek;
    ops.copy_file_range = copy_range;
    ops.opendir = open_directory;
    ops.readdir = read_directory;
    ops.releasedir = release_directory;
    ops.fsyncdir = sync_directory;
}

}  // namespace reeve::platform::veil
