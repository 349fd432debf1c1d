// What a caller's path means: the directory and the name, or the object, held by descriptors.
//
// Paths are resolved in the session's tree, beginning at the caller's own root, working directory or descriptor, with
// the person's rights, as the kernel would do it for the caller. `/proc/self`, `/proc/thread-self` and the links of
// /proc, also by way of /dev/fd and /dev/stdout, are the caller's. A string is never resolved twice: what comes
// afterwards works on the descriptors. Errors are those of path_resolution(7).
//
// It does not cover: where the result is at the time of a decision (Tree::look), fs.protected_symlinks (inside, all
// of a session is one person's), and RESOLVE_* of openat2 (which sessions do not have).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/keeper/request.hpp"
#include "daemon/keeper/tree.hpp"

namespace reeve::keeper {

// A place for a name: the last component of a path in the directory that the rest led to.
struct Name {
    platform::Fd owned;  // of the directory, unless it is the tree's root
    int directory = -1;
    std::string raw;  // as written, with the slashes behind it: calls that take it then give their own errors

    std::string bare() const { return raw.substr(0, raw.find('/')); }
    // "", ".", "..": no name that anything could be made or removed under.
    bool special() const { return bare().empty() || bare() == "." || bare() == ".."; }
    bool slashes() const { return raw.find('/') != std::string::npos; }
};

// An object, or the name under which there is none.
struct Target {
    std::optional<platform::Fd> object;  // O_PATH
    std::optional<Name>
        name;  // none where a link of /proc led to the object, or the path ended in a directory
};

class Resolver {
  public:
    Resolver(const Tree& tree, Request& request) : tree_(tree), request_(request) {}

    // The directory of the last component, which is not looked at. ENOENT for an empty path.
    Or<Name> name(int directory, const std::string& path);
    // The object itself. `follow`: if the last component is a symbolic link, what it leads to; that may be a name
    // without an object.
    Or<Target> target(int directory, const std::string& path, bool follow);

  private:
    Or<platform::Fd> base(int directory);
    Or<platform::Fd> directory_at(int base, bool absolute, const std::string& prefix);

    const Tree& tree_;
    Request& request_;
};

}  // namespace reeve::keeper
