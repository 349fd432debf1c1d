#include "daemon/session/enforcement.hpp"

#include <algorithm>

namespace reeve::session {
namespace {

using access::Place;
using policy::FileAction;

bool is_change(FileAction action) {
    return action != FileAction::list && action != FileAction::read && action != FileAction::execute;
}

bool is_below(std::string_view path, std::string_view tree) {
    return path == tree || (path.starts_with(tree) && path.size() > tree.size() && path[tree.size()] == '/');
}

// What the planner said that nothing here can hold to, about this rule and a pattern of it that the path meets.
const Gap* gap_of(const Held& held, const policy::Policy& policy, std::string_view path,
                  std::string_view rule) {
    const std::string exact(path);
    const auto meets = [&](const Gap& gap) {
        return gap.rule == rule && std::ranges::any_of(policy.rules(), [&](const policy::CompiledRule& each) {
                   return each.id == rule && std::ranges::any_of(each.paths, [&](const auto& pattern) {
                              return pattern.text == gap.pattern && pattern.matches(exact);
                          });
               });
    };
    const auto found = std::ranges::find_if(held.gaps, meets);
    return found == held.gaps.end() ? nullptr : &*found;
}

Enforcement of_reading(const Held& held, const Place& place, std::string_view path, bool allowed) {
    const bool masked =
        std::ranges::any_of(held.masks, [&](const std::string& mask) { return is_below(path, mask); });
    if (masked) return {"mount", "something empty stands over it"};
    if (held.means.keeper_reads && place.kind == Place::Kind::decided)
        return {"keeper", "each open is decided by the keeper"};
    if (allowed) return {"mount", "its tree is mounted"};
    return {"nothing", "its tree is mounted, and reading inside it is not decided one by one"};
}

Enforcement of_change(const Held& held, const Place& place, bool allowed) {
    if (place.kind == Place::Kind::system) return {"mount", "its tree is read-only inside"};
    if (held.means.keeper) return {"keeper", "each change in its tree is decided by the keeper"};
    if (allowed) return {"mount", "its tree is writable inside"};
    return {"nothing", "its tree is writable inside, and no keeper runs"};
}

}  // namespace

Held held_of(const Planned& planned) {
    return {places_of(planned), planned.means, planned.masks, planned.gaps};
}

Enforcement enforcement_of(const Held& held, const policy::Policy& policy, std::string_view path,
                           FileAction action) {
    // A Setup finds the innermost place; nothing else of it is needed.
    access::Setup setup;
    setup.places = held.places;
    const Place* place = setup.place_of(path);
    if (place == nullptr) return {"mount", "it does not exist inside"};
    if (place->kind == Place::Kind::scratch)
        return {"mount", "what stands there is the session's own, and gone with it"};
    if (place->kind == Place::Kind::veiled) return {"veil", "each access is decided by the veil"};
    const policy::Decision decision = policy.decide(path, action);
    const bool allowed = decision.verdict == policy::Verdict::allow;
    const Gap* gap = allowed ? nullptr : gap_of(held, policy, path, decision.rule);
    if (gap != nullptr) return {"nothing", gap->reason};
    return is_change(action) ? of_change(held, *place, allowed) : of_reading(held, *place, path, allowed);
}

}  // namespace reeve::session
