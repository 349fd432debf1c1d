// The slow way through a path, component by component, for what the kernel cannot resolve on behalf of another process:
// symbolic links from a directory other than the root, and links of /proc.
#pragma once

#include <string>

#include "daemon/keeper/resolve.hpp"

namespace reeve::keeper {

class Walk {
  public:
    Walk(const Tree& tree, Request& request) : tree_(tree), request_(request) {}

    // From `base`, or the tree's root if the path is absolute. As Resolver::target().
    Or<Target> target(int base, const std::string& path, bool follow);

  private:
    struct Component {
        std::string name;
        std::string after;  // the rest of the path, with its slash; empty or slashes only: it is the last one
        bool last = false;
        bool needs_directory = false;
    };
    static Component take(const std::string& path);
    Or<platform::Fd> duplicate(int fd) const;
    // Replaces what means the reader in the root of /proc by what means the caller.
    bool substitute_self(int directory, Component& component);
    Or<bool> is_link_of_proc(int directory, const Component& component) const;
    Or<platform::Fd> follow_link_of_proc(int directory, const Component& component);

    const Tree& tree_;
    Request& request_;
    int hops_ = 0;
};

}  // namespace reeve::keeper
