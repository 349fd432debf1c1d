// What `reeve policy check` and `reeve policy test` do, without a daemon: read policy files, and say what is
// wrong with them and what they decide.
//
// Not covered: whether this machine can enforce each pattern (that is `reeve policy show`, which asks the
// daemon).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/result.hpp"

namespace reeve::api {

inline constexpr const char* kVendorPolicy = "/usr/share/reeve/policies/vendor.jsonc";

struct PolicyProblem {
    std::string file;
    std::uint32_t line = 0, column = 0;  // from 1; 0: the whole file
    bool warning = false;
    std::string message, hint;
    std::string text;  // "file:line:column: message; hint"
};

// One agent's policy, compiled.
struct CompiledAgent {
    std::string agent;
    std::uint64_t states = 0, bytes = 0;  // of its automaton
};

struct PolicyFile {
    std::string file, id;
    std::uint64_t version = 0;
    std::vector<PolicyProblem> problems;
    std::vector<CompiledAgent> agents;  // none where it has errors, or its vendor document is not to be had

    bool ok() const;  // no error; warnings may be there
};

// Each file is read, and compiled for each agent that it names and for one that it does not know. A file that
// extends "vendor" takes the document of that id among `files`, else the one in `vendor` (a path).
std::vector<PolicyFile> check_policies(const std::vector<std::string>& files, const std::string& vendor);

struct PolicyAccess {
    std::uint32_t line = 0, column = 0;
    std::string action, resource, expected, actual, expected_rule, rule, reason;
    bool passed = false;
};

struct PolicyTest {
    std::vector<PolicyProblem> problems;  // the test file's own, or a layer's: then nothing was tried
    std::vector<PolicyAccess> accesses;

    bool ok() const;
};

// The layers that a test file names are looked for in its own folder.
PolicyTest test_policy(const std::string& file);

}  // namespace reeve::api
