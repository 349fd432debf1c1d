// Test files for `reeve policy test FILE`: accesses and the decisions that are expected of them.
//
//   {"schema": "reeve.policy-test/1", "agent": "cowork", "variables": {"home": "/home/alice", …},
//    "layers": ["vendor.jsonc", {"authority": "organisation", "file": "acme.jsonc"}],
//    "accesses": [{"action": "read", "path": "/etc/passwd", "expect": "allow", "rule": "vendor/files/0"},
//                 {"action": "connect", "host": "pypi.org", "port": 443, "expect": "deny"}]}
// A connection may name the "address" that its host resolved to; without one it is decided by its name alone.
// A layer that is only a name is the vendor's if the document's id is "vendor", else the organisation's.
#pragma once

#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/engine.hpp"

namespace reeve::policy {

struct AccessResult {
    std::string action, resource;
    Position at;  // of the access in the test file
    Verdict expected = Verdict::deny, actual = Verdict::deny;
    std::string expected_rule;  // "" where any will do
    std::string actual_rule;
    std::string reason;
    bool passed = false;
};

// Gives the contents of a file named in the test file, or why it cannot be read. The name is as written: the
// caller resolves it against the test file's folder.
using ReadFile = std::function<std::expected<std::string, std::string>(const std::string& name)>;

// Diagnostics where the test file or one of its layers is not in order; else a result for each access.
std::expected<std::vector<AccessResult>, std::vector<Diagnostic>> run_test_file(std::string_view text,
                                                                                const std::string& file_name,
                                                                                const ReadFile& read_file);

}  // namespace reeve::policy
