// Turns a compiled policy into what mounts, and the keeper and the veil where they are there, can enforce, and says
// what they cannot.
//
// Pure: whether a path exists, is a link or a directory is the caller's to find out. What a mount cannot
// express is never dropped silently: it is in `unenforced`.
#pragma once

#include <string>
#include <vector>

#include "policy/engine.hpp"

namespace reeve::policy {

// An object or tree that exists inside the session. Sorted by path, so that a nested one comes after the one
// around it.
struct Zone {
    std::string path;
    bool tree =
        true;  // else one object: a directory here would be seen with its names but with nothing in them
    bool writable = false;
    bool executable = false;
    unsigned log = 0;    // LogBits
    bool state = false;  // an agent's state: create it if it is missing
    std::string rule;    // that allows reading it
    std::string within;  // the path of the zone or mask around it, "" for none
    bool tightens =
        false;  // gives less than the zone around it: if the path does not exist, this cannot be enforced
                // by a mount, and where the zone around it is writable the caller must say so
    bool within_writable = false;
    std::string tightened_by;  // the rule that takes away
};

// A path inside a zone at which reading is denied: something empty stands there. A mask on a path that does
// not exist is no protection where the zone around it is writable.
struct Mask {
    std::string path;
    bool tree = true;
    std::string rule;
    std::string reason;
    std::string within;  // the path of the zone around it
    bool within_writable = false;
};

struct Unenforced {
    std::string rule;
    std::string pattern;  // as written
    std::string reason;   // in words
    Verdict verdict = Verdict::deny;
    bool widens =
        false;  // the session could reach more than policy says (dangerous); else it merely gets less
};

// What there is to enforce a policy with, beside mounts.
struct Means {
    Verdict ask_is = Verdict::deny;  // what an ask counts as: deny while nobody can be asked
    bool keeper = false;             // each change in a writable zone is decided by itself
    bool keeper_reads = false;       // each open for reading as well
    bool veil = false;               // the rest of the home is served by decisions
};

struct Zones {
    std::vector<Zone> grants;
    std::vector<std::string> veiled;  // trees for the veil, sorted: the home, and others that are asked about
    std::vector<Mask> masks;
    std::vector<Unenforced> unenforced;
};

Zones plan_zones(const Policy& policy, const Means& means = {});

}  // namespace reeve::policy
