// Writes a table's bytes (policy/table_format.hpp) from rules and their automaton.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "policy/automaton.hpp"
#include "policy/engine.hpp"

namespace reeve::policy {

struct TableInput {
    const std::vector<CompiledRule>* rules = nullptr;  // those of the base layer first
    std::array<Automaton, 2> parts;                    // each minimal
    std::vector<bool> shared;                          // by rule: both parts speak of it
    std::string policy_id;
    Mode mode = Mode::enforce;
    Authority base = Authority::vendor;
    unsigned layers = 0;  // 1 << Authority
};

// `words` is empty if it would be larger than `most` bytes; `size` is what is used of it, in bytes.
struct TableBytes {
    std::vector<std::uint64_t> words;
    std::size_t size = 0;
};

class TableWriter {
  public:
    static TableBytes write(const TableInput& input, std::size_t most);

  private:
    class Sections;  // a friend of Table through this class
};

}  // namespace reeve::policy
