// The veil's own names: the directories that lead to the session's places, the files that ways must show, and canaries.
//
// Pure, and constant once made: a tree of names in which every node has a number for good, so that the kernel may
// cache what it has seen and mounts on it stay. It does not cover what exists on the host (host.hpp).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace reeve::platform::veil {

// What the veil is made from. Paths are absolute and resolved.
struct Layout {
    std::vector<std::string> roots;     // the veiled trees
    std::vector<std::string> places;    // directories, on which something may be mounted
    std::vector<std::string> canaries;  // files; those outside of the roots are passed over
    std::vector<std::string> files;     // files that a way shows although it may not be listed; likewise
};

struct Way {
    enum class Kind : std::uint8_t {
        directory,  // exists, whether or not the host has it
        host,       // leads to a file only: exists where the host has a directory
        canary,     // looks like a file
    };
    std::uint64_t id = 0;
    std::string path;  // absolute
    Kind kind = Kind::directory;
    bool veiled = false;  // at or below a root: names that are not ways are the host's, and decided
    std::map<std::string, std::uint64_t, std::less<>> children;
    std::vector<std::string> files;  // names in it that are shown where the host has them, sorted
};

class Ways {
  public:
    static constexpr std::uint64_t kRoot = 1;  // FUSE_ROOT_ID; its path is "/"

    explicit Ways(const Layout& layout);

    // Their numbers are 1 to last().
    std::uint64_t last() const { return ways_.size(); }
    const Way* find(std::uint64_t id) const {
        return id >= kRoot && id <= ways_.size() ? &ways_[id - 1] : nullptr;
    }
    const Way* child(const Way& way, std::string_view name) const;

  private:
    void add(std::string_view path, Way::Kind kind);
    void add_file(std::string_view path);
    Way& descend(Way& from, std::string_view name, Way::Kind kind);

    std::vector<Way> ways_;
};

}  // namespace reeve::platform::veil
