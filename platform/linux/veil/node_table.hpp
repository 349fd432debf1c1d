// The objects of the host that the kernel knows by number: which name of which directory each is, and a descriptor.
//
// A node is a name (parent and component) together with the object that was found there: two names of one inode are two
// nodes, because what is decided at them can differ. Numbers are never used twice, so that there are no generations. A
// number lives until the kernel has forgotten it as often as it was told of it; descriptors are a cache with a bound,
// and whoever finds none opens the name again and looks whether it is the same object.
//
// Pure but for closing descriptors; all calls from any thread. It does not cover the veil's own names (ways.hpp).
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/linux/veil/host.hpp"

namespace reeve::platform::veil {

class NodeTable {
  public:
    using Id = std::uint64_t;
    struct Name {
        Id parent = 0;
        std::string name;
        bool operator==(const Name&) const = default;
    };
    struct Node {
        Name name;
        Identity identity;
        FdRef fd;            // null: it was dropped
        bool shown = false;  // as when it was last looked at
    };

    // Numbers begin at `first`; at most `descriptors` are kept.
    NodeTable(Id first, std::size_t descriptors) : next_(first), most_descriptors_(descriptors) {}

    // What a lookup found: the number of that object under that name, which the kernel now knows once more.
    Id remember(const Name& name, const Identity& identity, FdRef fd, bool shown);
    // The kernel knows it `times` less.
    void forget(Id id, std::uint64_t times);
    // Nothing for a number that is not known.
    std::optional<Node> find(Id id);
    // A descriptor for a node that had none.
    void keep(Id id, FdRef fd);
    // Its descriptor stays while it is open: its name may be gone.
    void opened(Id id);
    void closed(Id id);

    // The object under one name is now under another; what was there has no name.
    void moved(const Name& from, const Name& to);
    void exchanged(const Name& a, const Name& b);
    void removed(const Name& name);

    std::size_t size() const;
    std::size_t descriptors() const;
    // Names of nodes that were not asked for in the longest time, as many as there are more than `most`, at most
    // `limit`: those that the kernel should forget.
    std::vector<Name> idle(std::size_t most, std::size_t limit);
    // Drops half of the descriptors, for a process that has reached its limit.
    void drop_descriptors();

  private:
    struct NameHash {
        std::size_t operator()(const Name& name) const {
            return std::hash<std::string>()(name.name) ^ (name.parent * 0x9E37'79B9'7F4A'7C15U);
        }
    };
    struct Entry : Node {
        std::uint64_t lookups = 0, handles = 0;
        std::list<Id>::iterator recent;      // in recent_
        std::list<Id>::iterator descriptor;  // in with_descriptor_, where fd is set
    };
    using Entries = std::unordered_map<Id, Entry>;

    void use(Id id, Entry& entry);
    void set_descriptor(Id id, Entry& entry, FdRef fd);
    void drop_descriptor(Entry& entry);
    void shrink(std::size_t most);
    void unname(const Name& name);
    void rename(Id id, const Name& to);

    mutable std::mutex mutex_;
    Id next_;
    std::size_t most_descriptors_;
    Entries entries_;
    std::unordered_map<Name, Id, NameHash> names_;
    std::list<Id> recent_, with_descriptor_;  // the latest first
};

}  // namespace reeve::platform::veil
