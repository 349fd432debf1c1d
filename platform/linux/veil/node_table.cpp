#include "platform/linux/veil/node_table.hpp"

namespace reeve::platform::veil {

NodeTable::Id NodeTable::remember(const Name& name, const Identity& identity, FdRef fd, bool shown) {
    const std::scoped_lock lock(mutex_);
    const auto known = names_.find(name);
    if (known != names_.end()) {
        Entry& entry = entries_.at(known->second);
        if (entry.identity == identity) {
            ++entry.lookups;
            entry.shown = shown;
            use(known->second, entry);
            // The new descriptor: the old one may have reached the object by a name that is gone.
            set_descriptor(known->second, entry, std::move(fd));
            return known->second;
        }
        names_.erase(known);  // another object has taken its name
    }
    const Id id = next_++;
    Entry& entry = entries_[id];
    entry.name = name;
    entry.identity = identity;
    entry.shown = shown;
    entry.lookups = 1;
    recent_.push_front(id);
    entry.recent = recent_.begin();
    names_.emplace(name, id);
    set_descriptor(id, entry, std::move(fd));
    return id;
}

void NodeTable::forget(Id id, std::uint64_t times) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    entry.lookups -= std::min(entry.lookups, times);
    if (entry.lookups != 0) return;
    drop_descriptor(entry);
    recent_.erase(entry.recent);
    const auto name = names_.find(entry.name);
    if (name != names_.end() && name->second == id) names_.erase(name);
    entries_.erase(found);
}

std::optional<NodeTable::Node> NodeTable::find(Id id) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return std::nullopt;
    use(id, found->second);
    return found->second;
}

void NodeTable::keep(Id id, FdRef fd) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found != entries_.end()) set_descriptor(id, found->second, std::move(fd));
}

void NodeTable::opened(Id id) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found != entries_.end()) ++found->second.handles;
}

void NodeTable::closed(Id id) {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(id);
    if (found != entries_.end() && found->second.handles != 0) --found->second.handles;
}

void NodeTable::moved(const Name& from, const Name& to) {
    const std::scoped_lock lock(mutex_);
    unname(to);
    const auto found = names_.find(from);
    if (found == names_.end()) return;
    const Id id = found->second;
    names_.erase(found);
    rename(id, to);
}

void NodeTable::exchanged(const Name& a, const Name& b) {
    const std::scoped_lock lock(mutex_);
    const auto first = names_.find(a), second = names_.find(b);
    const Id of_a = first == names_.end() ? 0 : first->second;
    const Id of_b = second == names_.end() ? 0 : second->second;
    unname(a);
    unname(b);
    if (of_a != 0) rename(of_a, b);
    if (of_b != 0) rename(of_b, a);
}

void NodeTable::removed(const Name& name) {
    const std::scoped_lock lock(mutex_);
    unname(name);
}

std::size_t NodeTable::size() const {
    const std::scoped_lock lock(mutex_);
    return entries_.size();
}

std::size_t NodeTable::descriptors() const {
    const std::scoped_lock lock(mutex_);
    return with_descriptor_.size();
}

std::vector<NodeTable::Name> NodeTable::idle(std::size_t most, std::size_t limit) {
    const std::scoped_lock lock(mutex_);
    std::vector<Name> names;
    if (entries_.size() <= most) return names;
    limit = std::min(limit, entries_.size() - most);
    // What was looked at here goes to the front: if the kernel keeps it (it is in use), others come next time.
    for (std::size_t left = recent_.size(); left > 0 && names.size() < limit; --left) {
        const Id id = recent_.back();
        Entry& entry = entries_.at(id);
        use(id, entry);
        const auto name = names_.find(entry.name);
        if (entry.handles == 0 && name != names_.end() && name->second == id) names.push_back(entry.name);
    }
    return names;
}

void NodeTable::drop_descriptors() {
    const std::scoped_lock lock(mutex_);
    shrink(with_descriptor_.size() / 2);
}

void NodeTable::use(Id id, Entry& entry) {
    recent_.splice(recent_.begin(), recent_, entry.recent);
    (void)id;
    if (entry.fd) with_descriptor_.splice(with_descriptor_.begin(), with_descriptor_, entry.descriptor);
}

void NodeTable::set_descriptor(Id id, Entry& entry, FdRef fd) {
    if (!entry.fd) {
        with_descriptor_.push_front(id);
        entry.descriptor = with_descriptor_.begin();
    }
    entry.fd = std::move(fd);
    if (!entry.fd) with_descriptor_.erase(entry.descriptor);
    shrink(most_descriptors_);
}

void NodeTable::drop_descriptor(Entry& entry) {
    if (!entry.fd) return;
    with_descriptor_.erase(entry.descriptor);
    entry.fd.reset();
}

void NodeTable::shrink(std::size_t most) {
    for (std::size_t left = with_descriptor_.size(); left > 0 && with_descriptor_.size() > most; --left) {
        Entry& last = entries_.at(with_descriptor_.back());
        if (last.handles == 0) {
            drop_descriptor(last);
        } else {
            with_descriptor_.splice(with_descriptor_.begin(), with_descriptor_, last.descriptor);
        }
    }
}

void NodeTable::unname(const Name& name) {
    names_.erase(name);
}

void NodeTable::rename(Id id, const Name& to) {
    entries_.at(id).name = to;
    names_[to] = id;
}

}  // namespace reeve::platform::veil
