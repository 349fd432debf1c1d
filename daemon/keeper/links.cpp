#include "daemon/keeper/links.hpp"

namespace reeve::keeper {

bool Links::foreign(const struct stat& status) {
    if (S_ISDIR(status.st_mode) || status.st_nlink <= 1) return false;
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find({status.st_dev, status.st_ino});
    if (found != known_.end() && (found->second.foreign || status.st_nlink <= 1 + found->second.made))
        return found->second.foreign;
    if (found != known_.end())
        found->second.foreign = true;
    else if (known_.size() < kMost)
        known_[{status.st_dev, status.st_ino}].foreign = true;
    return true;
}

// What had no name before (O_TMPFILE) has its first one now.
void Links::added(const struct stat& before) {
    if (before.st_nlink == 0) return;
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find({before.st_dev, before.st_ino});
    if (found != known_.end())
        ++found->second.made;
    else if (known_.size() < kMost)
        known_[{before.st_dev, before.st_ino}].made = 1;
}

void Links::removed(const struct stat& before) {
    if (S_ISDIR(before.st_mode)) return;
    const std::scoped_lock lock(mutex_);
    const auto found = known_.find({before.st_dev, before.st_ino});
    if (found == known_.end()) return;
    if (found->second.made > 0) --found->second.made;
    const bool last = before.st_nlink <= 1;
    if (last || (found->second.made == 0 && !found->second.foreign)) known_.erase(found);
}

}  // namespace reeve::keeper
