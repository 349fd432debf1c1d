// What a policy's `posture.require` makes of a posture, and how both are shown.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "daemon/posture/collector.hpp"

namespace reeve::posture {

struct Requirement {
    std::string id;      // as the policy wrote it
    bool met = false;    // only success meets a requirement
    std::string reason;  // empty where met; "unknown_check" where no probe knows the id
};

struct Verdict {
    bool compliant = true;
    std::vector<Requirement> requirements;  // in the policy's order
};
Verdict judge(const Posture& posture, std::span<const std::string> require);

// A JSON array of {area, check, result, reason, collected, detail, todo}; empty members are left out.
std::string to_json(const Posture& posture);

// For people: a line a check, what to do under what is not well, and last the verdict where a policy asks for
// one.
std::string to_table(const Posture& posture, const Verdict& verdict);

// The ids whose word or reason differs, for the audit record posture.changed.
std::vector<std::string> changes(const Posture& before, const Posture& after);

}  // namespace reeve::posture
