// Which files have names that this session did not make.
//
// A path says nothing of an object's other names. A file in the workspace that somebody linked to `~/.ssh/config` before
// the session began is not changed through that name: what has more names than the session has given it is left alone.
// It does not cover reading. All functions: any thread.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <utility>

namespace reeve::keeper {

class Links {
  public:
    // Whether a name of the file, as it is now, may be another's. Remembered: once it was so, it stays so for as long as
    // the file has several names. Objects of one name are never looked up.
    bool foreign(const struct stat& status);
    // The session has made one more name for what was that before; or it is about to make one, or to take one away: what
    // the file is now is remembered. The caller holds off all other links and renames of the session.
    void adds(const struct stat& before) { (void)foreign(before); }
    void added(const struct stat& before);
    void removes(const struct stat& before) { (void)foreign(before); }
    void removed(const struct stat& before);

  private:
    static constexpr std::size_t kMost = 1 << 18;  // beyond that, what has several names is another's
    struct Known {
        nlink_t made = 0;  // by the session, besides the first
        bool foreign = false;
    };
    std::mutex mutex_;
    std::map<std::pair<dev_t, ino_t>, Known> known_;
};

}  // namespace reeve::keeper
