#include "daemon/session/state.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "daemon/session/directory.hpp"
#include "platform/fd.hpp"

namespace reeve::session {
namespace {

using platform::error;
using platform::Fd;
using platform::os_error;
using platform::Result;

// The calling thread's file system ids are the person's while it lives, and with that root's rights over files are gone.
// Root's groups stay; they say nothing about directories that the person owns, and in others nothing is made.
class AsPerson {
  public:
    explicit AsPerson(const platform::confine::Person& ids) {
        ::setfsgid(ids.gid);
        ::setfsuid(ids.uid);
        // The calls have no way to say that they failed but the ids that are there afterwards.
        held_ = static_cast<gid_t>(::setfsgid(static_cast<gid_t>(-1))) == ids.gid &&
                static_cast<uid_t>(::setfsuid(static_cast<uid_t>(-1))) == ids.uid;
    }
    ~AsPerson() {
        ::setfsuid(::geteuid());
        ::setfsgid(::getegid());
    }
    AsPerson(const AsPerson&) = delete;
    AsPerson& operator=(const AsPerson&) = delete;
    bool held() const { return held_; }

  private:
    bool held_;
};

// The directory `name` in `parent`, which must be the person's.
Result<Fd> enter(int parent, const std::string& name, const Person& person, const std::string& path) {
    open_how how{};
    how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | (parent == AT_FDCWD ? 0U : RESOLVE_BENEATH);
    Fd fd(static_cast<int>(::syscall(SYS_openat2, parent, name.c_str(), &how, sizeof how)));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0) return os_error("enter the agent's state", path);
    if (status.st_uid != person.ids.uid)
        return error("make the agent's state", path, "it would lie in a directory of somebody else's",
                     "see who owns the directories on the way to it");
    return fd;
}

}  // namespace

platform::Status make_state(const Person& person, const std::string& path, std::vector<std::string>& made) {
    if (!is_within(path, person.home) || path == person.home)
        return error("make the agent's state", path, "it does not lie below the home of " + person.ids.name,
                     "make it yourself");
    const AsPerson ids(person.ids);
    if (!ids.held()) return error("make the agent's state", path, "the person's ids cannot be taken on");
    auto at = enter(AT_FDCWD, person.home, person, person.home);
    for (std::size_t begin = person.home.size() + 1; at && begin <= path.size();) {
        const std::size_t end = std::min(path.find('/', begin), path.size());
        const std::string name = path.substr(begin, end - begin), upto = path.substr(0, end);
        if (::mkdirat(at->get(), name.c_str(), 0700) == 0)
            made.push_back(upto);
        else if (errno != EEXIST)
            return os_error("make the agent's state", upto);
        at = enter(at->get(), name, person, upto);
        begin = end + 1;
    }
    if (!at) return std::unexpected(at.error());
    return {};
}

}  // namespace reeve::session
