// What is to be done about a change at a place: by the kind of place, and where policy decides, by policy.
#pragma once

#include <sys/stat.h>

#include <initializer_list>
#include <string>

#include "daemon/keeper/engine.hpp"

namespace reeve::keeper {

// Whether the session's Landlock domain stands behind a call that goes on in the kernel. It knows no right for
// attributes, and handles no truncation.
enum class Guard : std::uint8_t { landlock, none };

struct Location {
    std::string path;                      // kernel's, of the object or the name
    const access::Place* place = nullptr;  // null outside of all
    bool inside = false;                   // on a mount of the session's
    bool read_only = false;  // that mount is; known only outside of places that policy decides on

    bool by_policy() const;  // decided or veiled
    bool veiled() const;
};

struct Judgement {
    enum class Way : std::uint8_t {
        perform,  // the keeper does it
        proceed,  // the kernel does it
        refuse,   // nobody does
    };
    Way way = Way::refuse;
    int code = 0;          // what the caller gets if it is refused
    bool decided = false;  // policy was asked; `decision` and `action` say what it said
    policy::Decision decision = {};
    policy::FileAction action = policy::FileAction::write;
    bool recorded = false;  // the outcome is reported
};

class Judge {
  public:
    explicit Judge(Engine& engine) : engine_(engine) {}

    // Where the object that `fd` holds is; or the name in the directory that `fd` holds (ENOENT if that directory
    // was removed).
    Or<Location> locate(int fd) const;
    Or<Location> locate(int directory, const std::string& name) const;
    // The same for a name that is to come into being: ENAMETOOLONG where what it names could not be judged afterwards,
    // because the kernel tells no path of more than PATH_MAX.
    Or<Location> locate_new(int directory, const std::string& name) const;
    Location place(const Seen& seen, int fd) const;

    // `actions` are those that all must be allowed; the first is what a report names unless another is refused.
    Judgement judge(const Location& at, std::initializer_list<policy::FileAction> actions, Guard guard) const;

    // For a symbolic link that is to be at that name, whatever made it: refused where policy says something of names
    // below it, since who follows the link finds what was judged by other names ("elsewhere/settings.json" as
    // ".claude/settings.json": CVE-2026-39861). What the link says does not matter: it may lead elsewhere later.
    void judge_link(const Location& at, Judgement& judged) const;

    // For what is about to be changed: refused where the object has names that the session did not make (links.hpp).
    void judge_names(const Location& at, const struct stat& status, Judgement& judged) const;

    // The strictest decision of these.
    policy::Decision decide(const std::string& path, std::initializer_list<policy::FileAction> actions,
                            policy::FileAction& action) const;

  private:
    Judgement outside(const Location& at, std::initializer_list<policy::FileAction> actions,
                      Guard guard) const;

    Engine& engine_;
};

}  // namespace reeve::keeper
