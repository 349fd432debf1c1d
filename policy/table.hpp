// The compiled automaton as bytes: flat, position-independent, checked once, walked without a check.
//
// policy::compile() makes the bytes; any process may map them (from a sealed memfd: a Table is only as
// constant as the memory it was opened on) and gets the same decisions. Native byte order. Nothing here
// allocates but explain().
#pragma once

#include <array>
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
    bool hidden = false, canary = false;  // as the rule has them (FileRule)
};

// Why a decision is what it is. `rules` of a layer: those that matched path and action, strictest first. The
// rule that decides is always among them; of the others some can be missing where the policy is very large
// (policy::Bounds::exact).
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

struct Matched;

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
    // differ, and how their denials look): the same state of the automaton that is minimal with regard to verdicts, in both of its parts.
    // For renames of directories. True is certain. False may be said of directories that one part treats alike
    // only because the other denies all in them.
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

    // Where a path leads, in each part of the automaton (policy/automaton.hpp).
    struct Place {
        std::array<std::uint32_t, 2> states;
    };

    const char* wrong_in_header() const;
    const char* wrong_in_states() const;
    const char* wrong_in_rules() const;
    bool is_in_text(std::uint32_t offset, std::uint32_t length) const;
    bool state_is_right(std::uint32_t id) const;
    bool outcome_is_right(const Outcome& outcome) const;
    std::uint32_t step(std::uint32_t at, std::uint8_t byte) const;
    std::uint32_t step_over(std::uint32_t at, const char* byte, const char* end) const;
    Place walk(std::string_view path) const;
    Matched matched_of(const Outcome& outcome) const;
    const Outcome& outcome_at(const Place& place, std::size_t part) const;
    std::uint32_t winner_at(const Place& place, FileAction action) const;
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
