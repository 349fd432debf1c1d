// Names and attributes: lookup to rename.
//
// Each request is answered before the next one is taken. One that has to wait (a question to the person) will be handed
// to a thread of its own here, with fuse_req_interrupt_func() to end it when its caller is killed: the kernel waits for
// an answer to what it has handed out, even for a process with SIGKILL.
#include "platform/linux/veil/operations.hpp"

#include <linux/fs.h>

namespace reeve::platform::veil {
namespace {

constexpr double kForGood = 365.0 * 24 * 3600;

void reply_error(fuse_req_t request, int error) {
    ::fuse_reply_err(request, error);
}

void init(void*, fuse_conn_info* connection) {
    // A listing with attributes looks at every name, and nobody has asked for that; splice needs pipes for little here.
    connection->want &=
        ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ |
                               FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE | FUSE_CAP_WRITEBACK_CACHE);
    // The host's file systems clear set-id bits on a change, as for anybody without capabilities.
    if ((connection->capable & FUSE_CAP_HANDLE_KILLPRIV) != 0) connection->want |= FUSE_CAP_HANDLE_KILLPRIV;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    answer(request, veil_of(request).lookup(who(request), parent, name));
}

void forget(fuse_req_t request, fuse_ino_t id, std::uint64_t times) {
    veil_of(request).forget(id, times);
    ::fuse_reply_none(request);
}

void forget_all(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
    for (std::size_t i = 0; i < count; ++i) veil_of(request).forget(forgets[i].ino, forgets[i].nlookup);
    ::fuse_reply_none(request);
}

void get_attributes(fuse_req_t request, fuse_ino_t id, fuse_file_info*) {
    answer_attributes(request, veil_of(request).attributes(who(request), id));
}

std::optional<struct timespec> time_of(int to_set, int flag, int now, const struct timespec& value) {
    if ((to_set & now) != 0) return timespec{.tv_sec = 0, .tv_nsec = UTIME_NOW};
    if ((to_set & flag) != 0) return value;
    return std::nullopt;
}

void set_attributes(fuse_req_t request, fuse_ino_t id, struct stat* to, int to_set, fuse_file_info* file) {
    Veil::Change change;
    if ((to_set & FUSE_SET_ATTR_MODE) != 0) change.mode = to->st_mode;
    if ((to_set & FUSE_SET_ATTR_UID) != 0) change.uid = to->st_uid;
    if ((to_set & FUSE_SET_ATTR_GID) != 0) change.gid = to->st_gid;
    if ((to_set & FUSE_SET_ATTR_SIZE) != 0) change.size = to->st_size;
    change.accessed = time_of(to_set, FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, to->st_atim);
    change.modified = time_of(to_set, FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, to->st_mtim);
    const auto* open = file != nullptr ? in_handle<const OpenFile>(file->fh) : nullptr;
    answer_attributes(request, veil_of(request).change(who(request), id, change, open));
}

void read_link(fuse_req_t request, fuse_ino_t id) {
    const auto target = veil_of(request).read_link(who(request), id);
    if (!target) return reply_error(request, target.error());
    ::fuse_reply_readlink(request, target->c_str());
}

void make_node(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
    answer(request, veil_of(request).make_node(who(request), parent, name, mode, device));
}

void make_directory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
    answer(request, veil_of(request).make_directory(who(request), parent, name, mode));
}

void remove_file(fuse_req_t request, fuse_ino_t parent, const char* name) {
    reply_error(request, veil_of(request).remove(who(request), parent, name, false));
}

void remove_directory(fuse_req_t request, fuse_ino_t parent, const char* name) {
    reply_error(request, veil_of(request).remove(who(request), parent, name, true));
}

void make_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
    answer(request, veil_of(request).make_symlink(who(request), parent, name, target));
}

void rename_name(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
                 const char* new_name, unsigned flags) {
    reply_error(request, veil_of(request).rename(who(request), parent, name, new_parent, new_name, flags));
}

void link_name(fuse_req_t request, fuse_ino_t id, fuse_ino_t parent, const char* name) {
    answer(request, veil_of(request).link(who(request), id, parent, name));
}

void get_access(fuse_req_t request, fuse_ino_t id, int mask) {
    reply_error(request, veil_of(request).access(who(request), id, mask));
}

void get_statistics(fuse_req_t request, fuse_ino_t) {
    const auto statistics = veil_of(request).statistics();
    if (!statistics) return reply_error(request, statistics.error());
    ::fuse_reply_statfs(request, &*statistics);
}

// As getxattr(2): a size of 0 asks for the size.
void reply_text(fuse_req_t request, const OrErrno<std::string>& text, std::size_t size) {
    if (!text) return reply_error(request, text.error());
    if (size == 0) {
        ::fuse_reply_xattr(request, text->size());
    } else if (text->size() > size) {
        reply_error(request, ERANGE);
    } else {
        ::fuse_reply_buf(request, text->data(), text->size());
    }
}

void get_extended(fuse_req_t request, fuse_ino_t id, const char* name, std::size_t size) {
    reply_text(request, veil_of(request).extended(who(request), id, name), size);
}

void list_extended(fuse_req_t request, fuse_ino_t id, std::size_t size) {
    reply_text(request, veil_of(request).extended_names(who(request), id), size);
}

void set_extended(fuse_req_t request, fuse_ino_t id, const char* name, const char* value, std::size_t size,
                  int flags) {
    reply_error(request, veil_of(request).set_extended(who(request), id, name, {value, size}, flags));
}

void remove_extended(fuse_req_t request, fuse_ino_t id, const char* name) {
    reply_error(request, veil_of(request).remove_extended(who(request), id, name));
}

}  // namespace

fuse_entry_param entry_param(const Veil::Entry& entry) {
    fuse_entry_param param{};
    param.ino = entry.id;
    param.attr = entry.status;
    param.attr_timeout = param.entry_timeout = entry.constant ? kForGood : 0;
    return param;
}

void answer(fuse_req_t request, const OrErrno<Veil::Entry>& entry) {
    if (!entry) return reply_error(request, entry.error());
    const fuse_entry_param param = entry_param(*entry);
    Veil& veil = veil_of(request);
    // The kernel does not know of it: who asked is gone.
    if (::fuse_reply_entry(request, &param) == -ENOENT) veil.forget(entry->id, 1);
}

void answer_attributes(fuse_req_t request, const OrErrno<Veil::Entry>& entry) {
    if (!entry) return reply_error(request, entry.error());
    ::fuse_reply_attr(request, &entry->status, entry->constant ? kForGood : 0);
}

fuse_lowlevel_ops operations() {
    fuse_lowlevel_ops ops{};
    ops.init = init;
    ops.lookup = lookup;
    ops.forget = forget;
    ops.forget_multi = forget_all;
    ops.getattr = get_attributes;
    ops.setattr = set_attributes;
    ops.readlink = read_link;
    ops.mknod = make_node;
    ops.mkdir = make_directory;
    ops.unlink = remove_file;
    ops.rmdir = remove_directory;
    ops.symlink = make_symlink;
    ops.rename = rename_name;
    ops.link = link_name;
    ops.access = get_access;
    ops.statfs = get_statistics;
    ops.getxattr = get_extended;
    ops.listxattr = list_extended;
    ops.setxattr = set_extended;
    ops.removexattr = remove_extended;
    add_file_operations(ops);
    return ops;
}

}  // namespace reeve::platform::veil
