#include "daemon/keeper/gain.hpp"

#include "daemon/access/holes.hpp"

namespace reeve::keeper {

bool gains(const Engine& engine, const Location& from, const Location& to, bool directory) {
    if (!engine.enforces() || (!from.by_policy() && !to.by_policy())) return false;
    // Out of what policy decides on, or into it: what was made in one kind of place was never judged as of the other.
    if (from.by_policy() != to.by_policy()) return true;
    const policy::Table& table = engine.table;
    if (directory && !table.same_below(from.path, to.path) && !access::lacks("keeper.rename_state"))
        return true;
    if (access::lacks("keeper.gain")) return false;
    for (std::size_t i = 0; i < policy::kFileActions; ++i) {
        const auto action = static_cast<policy::FileAction>(i);
        if (table.decide(to.path, action).verdict < table.decide(from.path, action).verdict) return true;
    }
    return false;
}

}  // namespace reeve::keeper
