#include "platform/linux/memfd.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

namespace reeve::platform {
namespace {
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
constexpr unsigned kNoexecSeal = 8;  // MFD_NOEXEC_SEAL, Linux 6.3; Debian 12's headers do not have it
}  // namespace

Result<Fd> make_memfd(const char* name) {
    int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoexecSeal);
    if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return os_error("make a memory file", name);
    return Fd(fd);
}

Status seal(int memfd) {
    if (::fcntl(memfd, F_ADD_SEALS, kSeals) != 0) return os_error("seal a memory file", "");
    return {};
}

Result<Fd> sealed_memfd(const char* name, std::string_view bytes) {
    auto fd = make_memfd(name);
    if (!fd) return fd;
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd->get(), bytes.data(), bytes.size());
        if (written < 0) return os_error("write a memory file", name);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (auto sealed = seal(fd->get()); !sealed) return std::unexpected(sealed.error());
    return fd;
}

Result<std::string> read_memfd(int memfd, bool must_be_sealed) {
    if (must_be_sealed) {
        const int seals = ::fcntl(memfd, F_GET_SEALS);
        if (seals < 0 || (seals & kSeals) != kSeals)
            return error("read a memory file", "", "it is not sealed");
    }
    struct stat status {};
    if (::fstat(memfd, &status) != 0) return os_error("read a memory file", "");
    std::string bytes(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got =
            ::pread(memfd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (got < 0) return os_error("read a memory file", "");
        if (got == 0) return error("read a memory file", "", "it is shorter than it was");
        done += static_cast<std::size_t>(got);
    }
    return bytes;
}

}  // namespace reeve::platform
