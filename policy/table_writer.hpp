// Writes a table's bytes (policy/table_format.hpp) from rules and their automaton.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/automaton.hpp"
#include "policy/engine.hpp"

namespace reeve::policy {

struct TableInput {
    const std::vector<CompiledRule>* rules = nullptr;  // those of the base layer first
    // Minimal; its `accepted` are sets of rules, not of patterns.
    const Automaton* automaton = nullptr;
    std::string policy_id;
    Mode mode = Mode::enforce;
    Authority base = Authority::vendor;
    unsigned layers = 0;  // 1 << Authority
};

class TableWriter {
  public:
    // Empty if it would be larger than `most` bytes. The size that is used is given in `size`.
    static std::vector<std::uint64_t> write(const TableInput& input, std::size_t most, std::size_t& size);
};

}  // namespace reeve::policy
