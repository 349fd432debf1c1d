// The veil itself: what a session sees of the person's tree, and what it may do there. Requests in, answers out.
//
// Each request finds its object anew: the descriptor that the kernel's number stands for, the kernel's own path of
// that, and the judge's word on the path. What is served is that descriptor and nothing that is opened by a name later.
//   shown   some action is allowed: attributes are the host's, and each action is decided by itself
//   denied  the name exists: a stat gives its kind, mode 000, size 0, times 0; all else is EACCES, so is every name
//           below a denied directory unless it is allowed itself
//   hidden  ENOENT, and no listing has it
// Ways (ways.hpp) are directories whatever the host has; they are listed in full where `list` is allowed, and else show
// what they lead to.
//
// It does not cover: how requests arrive (session.hpp); bytes of files, which go through the OpenFile that open() gave;
// O_TMPFILE (EOPNOTSUPP), locks (the kernel's own, for the session alone), FIFOs and sockets (the session's own under
// that name: they lead to no process of the host), inotify (it sees what the session does). Inode numbers are the
// host's, so that files of two of its file systems may share one.
#pragma once

#include <sys/statvfs.h>

#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>

#include "platform/linux/veil/host.hpp"
#include "platform/linux/veil/judge.hpp"
#include "platform/linux/veil/listing.hpp"
#include "platform/linux/veil/node_table.hpp"
#include "platform/linux/veil/sight.hpp"
#include "platform/linux/veil/ways.hpp"

namespace reeve::platform::veil {

struct OpenFile {
    Fd fd;
    NodeTable::Id node = 0;
    bool direct = false;  // the caller wants no cache
    bool append =
        false;  // each write goes to the end; what the kernel writes back from mapped pages does not
};

struct Options {
    Layout layout;
    std::string home;  // whose file system statvfs() is about
    uid_t uid = 0;
    gid_t gid = 0;
    std::size_t descriptors = 4096;  // that nodes keep
};

class Veil {
  public:
    using Id = NodeTable::Id;

    // An object as the kernel is told of it.
    struct Entry {
        Id id = 0;
        struct stat status {};
        bool constant = false;  // it may be kept; else it is asked for again each time
    };
    // False: no more.
    using Name = std::function<bool(const char* name, const struct stat& kind, off_t next)>;

    Veil(Judge& judge, Host host, Options options);

    // looking.cpp. `who` is the thread that asks.
    OrErrno<Entry> lookup(pid_t who, Id parent, const char* name);
    void forget(Id id, std::uint64_t times);
    OrErrno<Entry> attributes(pid_t who, Id id);
    OrErrno<std::string> read_link(pid_t who, Id id);
    int access(pid_t who, Id id, int mask);  // an errno or 0, as all that give an int
    OrErrno<struct statvfs> statistics() const;
    OrErrno<std::string> extended(pid_t who, Id id, const char* name);
    OrErrno<std::string> extended_names(pid_t who, Id id);

    // opening.cpp. `flags` are open(2)'s, with the kernel's __FMODE_EXEC where a program is executed.
    OrErrno<std::unique_ptr<OpenFile>> open(pid_t who, Id id, int flags);
    struct Created {
        Entry entry;
        std::unique_ptr<OpenFile> file;
    };
    OrErrno<Created> create(pid_t who, Id parent, const char* name, mode_t mode, int flags);
    void closed(std::unique_ptr<OpenFile> file);
    OrErrno<std::shared_ptr<Listing>> open_directory(pid_t who, Id id);
    int list(Listing& listing, off_t offset, const Name& name);

    // changing.cpp
    OrErrno<Entry> make_directory(pid_t who, Id parent, const char* name, mode_t mode);
    OrErrno<Entry> make_node(pid_t who, Id parent, const char* name, mode_t mode, dev_t device);
    OrErrno<Entry> make_symlink(pid_t who, Id parent, const char* name, const char* target);
    int remove(pid_t who, Id parent, const char* name, bool directory);
    int rename(pid_t who, Id parent, const char* name, Id new_parent, const char* new_name, unsigned flags);
    OrErrno<Entry> link(pid_t who, Id id, Id parent, const char* name);

    // attributes.cpp
    struct Change {
        std::optional<mode_t> mode;
        std::optional<uid_t> uid;
        std::optional<gid_t> gid;
        std::optional<off_t> size;
        std::optional<struct timespec> accessed, modified;  // or UTIME_NOW
    };
    // `file`: the one through which it is asked for, where the kernel says so.
    OrErrno<Entry> change(pid_t who, Id id, const Change& change, const OpenFile* file);
    int set_extended(pid_t who, Id id, const char* name, std::string_view value, int flags);
    int remove_extended(pid_t who, Id id, const char* name);

    NodeTable& nodes() { return nodes_; }

  private:
    // What a request is about.
    struct Object {
        const Way* way = nullptr;  // else a node
        FdRef fd;                  // null: a way that the host does not have
        std::string path;          // empty: its name is gone
        Sight sight;
        Identity identity;

        bool directory() const { return S_ISDIR(identity.type); }
    };
    // A name in a directory.
    struct Spot {
        NodeTable::Name name;
        FdRef directory;           // null: the host does not have it
        bool shown = false;        // the directory
        const Way* way = nullptr;  // what stands there
        std::string path;
    };
    // What the host has at a spot.
    struct Found {
        FdRef fd;
        struct stat status {};
        std::string path;
        Sight sight;
    };

    OrErrno<Object> object(Id id);
    OrErrno<FdRef> descriptor(Id id);
    OrErrno<FdRef> descriptor_of(Id id, const NodeTable::Node& node);
    OrErrno<Spot> spot(Id parent, const char* name);
    OrErrno<Found> found_at(const Spot& spot);
    OrErrno<Found> seen_at(pid_t who, const Spot& spot, std::string_view operation);
    bool exists(const Way& way) const;
    OrErrno<std::string> listed(const Listing& listing) const;
    bool is_listed(const Listing& listing, const Listing::Item& item, const std::string& directory,
                   struct stat& kind);

    OrErrno<Entry> entry_of(const Way& way) const;
    Entry entry_of(const Spot& spot, const Found& found);
    struct stat status_of(const Way& way) const;
    struct stat kind_of(const Identity& identity) const;
    struct stat status_of(const Object& object, const struct stat& host) const;

    // Tells the judge, and gives back the error; EIO where it cannot be told.
    int report(pid_t who, Action action, const Ruling& ruling, std::string_view operation,
               const Attempt& rest);
    int refuse(pid_t who, const Object& object, Action action, std::string_view operation,
               bool touched = true);
    OrErrno<Entry> made(pid_t who, const Spot& spot, const Ruling& ruling, const Attempt& attempt);
    OrErrno<std::unique_ptr<OpenFile>> open_object(pid_t who, Id id, const Object& object, int flags);
    int move(const Spot& from, const Spot& to, unsigned flags);
    int rename_refused(const Spot& from, const Found& found, const Spot& to, unsigned flags,
                       Attempt& attempt);

    Judge& judge_;
    Host host_;
    Options options_;
    Ways ways_;
    NodeTable nodes_;
    struct timespec made_ {};
    // A rename waits for those that have decided on a path and act on it, and they for it.
    std::shared_mutex renames_;
};

}  // namespace reeve::platform::veil
