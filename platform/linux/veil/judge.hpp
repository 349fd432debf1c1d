// Who decides what the veil serves, and is told what was tried: the one thing that platform/linux/veil knows of policy.
//
// It does not cover how a decision is made (daemon/veil/policy_judge.hpp), nor what happens to what is told.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string_view>

namespace reeve::platform::veil {

// What can be done to an object. The same in the same order as policy::FileAction.
enum class Action : std::uint8_t { list, read, write, create, remove, rename, link, execute, attributes };
inline constexpr unsigned kActions = 9;

struct Ruling {
    enum class Verdict : std::uint8_t { allow, ask, deny };  // an ask is no permission
    Verdict verdict = Verdict::deny;
    bool by_rule = false;        // and not because nothing says anything
    bool enforced = true;        // else it is only told, and everything is allowed
    bool hidden = false;         // what is denied is not to be seen either
    bool canary = false;         // whoever touches it is news
    std::string_view rule = {};  // for the report; outlives the Judge

    bool allowed() const { return verdict == Verdict::allow || !enforced; }
};

// One request of a process of the session, answered.
struct Attempt {
    pid_t thread = 0;  // who asked, in the pid namespace of the mount's maker; 0: the kernel
    Action action = Action::read;
    Ruling ruling;
    std::string_view operation;    // "open", "rename"; "lookup" where the kernel does not say what for
    std::string_view path;         // of the object, or its parent's and the name
    std::string_view target = {};  // the second path of a rename or link; what a symbolic link holds
    bool directory = false;
    bool touched = true;  // more than its existence and kind was asked for
    int error = 0;        // the answer
};

// Called by all workers at once.
class Judge {
  public:
    virtual ~Judge() = default;
    // `path` is resolved. Must not wait and must not fail.
    virtual Ruling decide(std::string_view path, Action action) const = 0;
    // Whether everything at and below both paths is decided alike.
    virtual bool same_below(std::string_view a, std::string_view b) const = 0;
    // May wait: the one who asked then waits too, and what was tried is never lost. False: it cannot be told any more,
    // and the attempt fails.
    virtual bool report(const Attempt& attempt) = 0;
};

}  // namespace reeve::platform::veil
