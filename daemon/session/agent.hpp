// Which agent a command is, and whether it is trusted as that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/result.hpp"
#include "policy/engine.hpp"

namespace reeve::session {

struct Agent {
    std::string id;  // policy::kUnverified where it is none
    std::string
        sha256;  // of the executable, or of the entry script of an interpreter; empty where it was not looked at
    std::string trust;  // "sha256", "package", "signer"; "none": the policy asks for none, or it is no agent
    std::string note;   // why a command that looks like an agent runs as unverified; may be empty
};

struct Asked {
    std::string agent;                 // of --agent; empty: whichever it belongs to
    std::vector<std::string> command;  // argv
    std::string search_path;           // the PATH of the session
    std::string working_directory;
};

// The program that argv[0] leads to on this machine, resolved; empty where there is none.
std::string find_program(const Asked& asked);
// The entry script: of a "#!" file that file itself, of `node x.js` the x.js; empty for other programs.
std::string entry_script(const std::string& program, const Asked& asked);

// Refused: an --agent that the policies do not know, that the executable does not belong to, or whose trust fails.
platform::Result<Agent> find_agent(const std::vector<policy::Layer>& layers,
                                   const policy::Variables& variables, const std::string& certificates,
                                   const Asked& asked);

}  // namespace reeve::session
