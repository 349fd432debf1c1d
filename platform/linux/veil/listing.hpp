// A directory while it is read: first what the veil has there itself, then what the host has. Offsets are the number of
// names before; they hold as long as nobody changes the directory.
//
// It does not decide which names are seen (Veil::list()). One at a time, under its own lock: the kernel may read one
// open directory from several threads.
#pragma once

#include <dirent.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "platform/linux/veil/host.hpp"
#include "platform/linux/veil/ways.hpp"

namespace reeve::platform::veil {

class Listing {
  public:
    enum class Of : std::uint8_t {
        self,
        way,
        file,
        host
    };  // "." and "..", a way, a file that a way shows, the host
    struct Item {
        std::string name;
        Of of = Of::host;
        ino_t inode = 0;
        mode_t type = 0;
    };

    // `fd`, where it is one, gives all names that the host has there; else a way shows its own alone.
    static OrErrno<std::shared_ptr<Listing>> make(std::uint64_t id, const Way* way, std::string path, Fd fd);

    // What stands at `position`; null at the end, and `error` where that is one.
    const Item* next();
    void take();
    void rewind();
    int descriptor() const { return stream_ ? ::dirfd(stream_.get()) : -1; }

    std::mutex mutex;
    const std::uint64_t id;
    const Way* const way;
    const std::string path;
    off_t position = 0;  // names before; those that are not seen count too
    int error = 0;

  private:
    struct Close {
        void operator()(DIR* stream) const { ::closedir(stream); }
    };
    Listing(std::uint64_t node, const Way* at, std::string where)
        : id(node), way(at), path(std::move(where)) {}
    bool read_host();

    std::vector<Item> own_;
    std::unique_ptr<DIR, Close> stream_;
    Item read_;
    bool has_read_ = false;
};

}  // namespace reeve::platform::veil
