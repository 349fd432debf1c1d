// The compiled automaton as bytes: flat, position-independent, checked once, walked without a check.
//
// policy::compile() makes the bytes; any process may map them (from a sealed memfd: a Table is only as
// constant as the memory it was opened on) and gets the same decisions. Native byte order. Nothing here
// allocates but explain().
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/layers.hpp"

namespace reeve::policy {

inline constexpr std::size_t kMaxTableBytes = 16U << 20;

enum class DecidedBy : std::uint8_t { rule, default_ };

// The views point into the table's memory (or at constants).
struct Decision {
    Verdict verdict = Verdict::deny;
    DecidedBy decided_by = DecidedBy::default_;
    std::string_view rule;    // "" where no rule decided
    std::string_view reason;  // the rule's, or why the default applies
    std::string_view label;
};

// Why a decision is what it is. `rules` of a layer: those that matched path and action, strictest first.
struct Explanation {
    struct Candidate {
        std::string rule;
        Verdict verdict = Verdict::deny;
        std::string reason;
        std::string file;
        std::uint32_t line = 0;
        std::optional<unsigned> log;  // LogBits
    };
    struct LayerVerdict {
        Authority authority = Authority::vendor;
        bool base = false;
        std::optional<Verdict> verdict;  // none: neutral
        std::vector<Candidate> rules;
    };
    Decision decision;
    std::vector<LayerVerdict> layers;  // those that have documents, by authority
};

class Table {
  public:
    // Checks everything; the error says what is wrong with the bytes. `bytes` must be 8-byte aligned and
    // outlive the Table. O(size).
    static std::expected<Table, std::string> open(std::span<const std::byte> bytes);

    // O(length of path). A path that is not resolved (not absolute, with NUL, "//", "/./", "/../" or a final
    // slash) is denied by default.
    Decision decide(std::string_view path, FileAction action) const;
    Explanation explain(std::string_view path, FileAction action) const;

    // Whether everything at and below both paths is decided alike, for every action (rules that decide may
    // differ): the same state of the automaton that is minimal with regard to verdicts. For renames of
    // directories.
    bool same_below(std::string_view a, std::string_view b) const;

    std::string_view policy_id() const;  // "acme-desktop@12"
    Mode mode() const;
    std::size_t states() const;

  private:
    struct Header;
    struct State;
    struct Outcome;
    struct Rule;
    friend class TableWriter;

    const char* what_is_wrong() const;
    bool state_is_right(const State& state) const;
    bool outcome_is_right(const Outcome& outcome) const;
    std::uint32_t walk(std::string_view path) const;
    std::string_view text(std::uint32_t offset, std::uint32_t length) const;
    Decision default_decision(std::string_view reason) const;

    std::span<const std::byte> bytes_;
    const Header* header_ = nullptr;
    const std::uint8_t* classes_ = nullptr;
    const std::uint32_t* rows_ = nullptr;
    const State* sparse_ = nullptr;
    const std::uint32_t* exceptions_ = nullptr;
    const std::uint32_t* outcome_of_ = nullptr;
    const std::uint32_t* kind_of_ = nullptr;
    const Outcome* outcomes_ = nullptr;
    const std::uint32_t* matched_ = nullptr;
    const Rule* rules_ = nullptr;
    const char* text_ = nullptr;
};

// Absolute, without NUL, "//", "/./", "/../" or a final slash (but "/" is).
bool is_resolved(std::string_view path);

}  // namespace reeve::policy
