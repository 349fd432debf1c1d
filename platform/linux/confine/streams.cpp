// What came from outside as a standard stream is the one part of the host's tree that a session holds a
// descriptor of.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/confine/setup.hpp"

namespace reeve::platform::confine {
namespace {

// The same file, from where it stood, on a read-only mount. On the host's own one, the link in /proc would
// let the session truncate it, and the descriptor alone change its attributes: Landlock has no right for
// these. The position is no longer shared with the host.
Result<Fd> on_read_only_mount(const Fd& stream) {
    auto mount = clone_mount(stream.get());
    if (!mount) return mount;
    if (auto s = set_mount(mount->get(), MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV); !s)
        return std::unexpected(s.error());
    const std::string link = "/proc/self/fd/" + std::to_string(mount->get());
    Fd file(::open(link.c_str(), O_RDONLY | O_NOCTTY | O_CLOEXEC));
    if (!file) return os_error("open again", "");
    const off_t position = ::lseek(stream.get(), 0, SEEK_CUR);
    if (position < 0 || ::lseek(file.get(), position, SEEK_SET) < 0) return os_error("find the position", "");
    return file;
}

}  // namespace

Status take_streams(Setup& setup) {
    if (left_out(setup.plan, "streams")) return {};
    for (int i = 0; i < 3; ++i) {
        Fd& stream = setup.streams[i];
        if (!stream) continue;
        const std::string number = std::to_string(i);
        struct stat status {};
        const int flags = ::fcntl(stream.get(), F_GETFL);
        if (flags < 0 || ::fstat(stream.get(), &status) != 0)
            return os_error("look at standard stream", number);
        // A directory would be a way to all that lies around it.
        if (S_ISDIR(status.st_mode) || (flags & O_PATH) != 0)
            return error("take over standard stream", number, "it is not open for reading or writing bytes",
                         "redirect it from a file, a pipe or a terminal");
        // The person's own terminal: who has it reads what they type next, and types. The session gets its
        // own.
        if (::isatty(stream.get()) == 1)
            return error("take over standard stream", number, "it is a terminal",
                         "let the session have a terminal of its own there: Plan::terminal");
        // One without a name left is nobody's any more.
        if (!S_ISREG(status.st_mode) || status.st_nlink == 0 || (flags & O_ACCMODE) != O_RDONLY) continue;
        auto file = on_read_only_mount(stream);
        if (!file)
            return os_error("take over standard stream", number, file.error().code,
                            "pass it through a pipe: cat FILE | reeve run ...");
        stream = std::move(*file);
    }
    return {};
}

}  // namespace reeve::platform::confine
