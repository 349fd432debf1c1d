#include "platform/linux/notify/memory.hpp"

#include <errno.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstring>

namespace reeve::platform::notify {
namespace {

constexpr std::size_t kPage = 4096;  // the smallest: a read never crosses into a page that it need not touch

// Bytes that could be read, from the start; -errno where there were none.
ssize_t read_some(pid_t tid, std::uint64_t address, void* to, std::size_t size) {
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
    const iovec local{to, size}, remote{reinterpret_cast<void*>(address), size};
    const ssize_t got = ::process_vm_readv(tid, &local, 1, &remote, 1, 0);
    return got < 0 ? -errno : got;
}

}  // namespace

int read_memory(pid_t tid, std::uint64_t address, void* to, std::size_t size) {
    if (size == 0) return 0;
    const ssize_t got = read_some(tid, address, to, size);
    if (got < 0) return static_cast<int>(-got);
    return static_cast<std::size_t>(got) == size ? 0 : EFAULT;
}

int read_text(pid_t tid, std::uint64_t address, std::size_t most, int too_long, std::string& text) {
    text.clear();
    char page[kPage];
    while (text.size() < most) {
        const std::size_t to_end = kPage - address % kPage;
        const ssize_t got = read_some(tid, address, page, std::min(to_end, most - text.size()));
        if (got <= 0) return got == 0 ? EFAULT : static_cast<int>(-got);
        const auto size = static_cast<std::size_t>(got);
        const void* end = std::memchr(page, 0, size);
        if (end != nullptr) {
            text.append(page, static_cast<std::size_t>(static_cast<const char*>(end) - page));
            return 0;
        }
        text.append(page, size);
        address += size;
    }
    return too_long;
}

}  // namespace reeve::platform::notify
