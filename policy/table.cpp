#include "policy/table.hpp"

#include <algorithm>
#include <cstring>

#include "policy/table_format.hpp"

namespace reeve::policy {
namespace {

constexpr std::uint32_t kUnresolved = 0xFFFF'FFFF;
constexpr std::string_view kNoRule = "no rule of the policy allows this";
constexpr std::string_view kNotResolved = "the path is not a resolved one";

// Hands out the sections of a table, one after the other.
class Sections {
  public:
    explicit Sections(std::span<const std::byte> bytes) : bytes_(bytes) {}

    template <typename T>
    bool take(std::size_t count, const T*& section) {
        const auto size = count * sizeof(T);
        if (size > bytes_.size() - at_) return false;
        section = reinterpret_cast<const T*>(bytes_.data() + at_);
        at_ += size;
        return true;
    }
    bool at_end() const { return at_ == bytes_.size(); }

  private:
    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
};

}  // namespace

bool is_resolved(std::string_view path) {
    if (path == "/") return true;
    if (path.empty() || path.front() != '/' || std::memchr(path.data(), '\0', path.size()) != nullptr) {
        return false;
    }
    std::size_t begin = 1;
    while (true) {
        auto end = path.find('/', begin);
        if (end == std::string_view::npos) end = path.size();
        const auto name = path.substr(begin, end - begin);
        if (name.empty() || name == "." || name == "..") return false;
        if (end == path.size()) return true;
        begin = end + 1;
    }
}

std::expected<Table, std::string> Table::open(std::span<const std::byte> bytes) {
    const auto refused = [](std::string why) { return std::unexpected("not a policy table: " + why); };
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) return refused("not aligned to 8 bytes");
    if (bytes.size() > kMaxTableBytes) return refused("larger than " + std::to_string(kMaxTableBytes));
    Table table;
    table.bytes_ = bytes;
    Sections sections(bytes);
    if (!sections.take(1, table.header_)) return refused("shorter than its header");
    const auto& header = *table.header_;
    if (header.magic != Header::kMagic) return refused("its first bytes are others");
    if (header.byte_order != Header::kByteOrder) return refused("made on a machine of another byte order");
    if (header.size != bytes.size()) {
        return refused("of " + std::to_string(header.size) + " bytes, there are " +
                       std::to_string(bytes.size()));
    }
    const bool all =
        sections.take(256, table.classes_) && sections.take(header.states, table.sparse_) &&
        sections.take(header.exceptions, table.exceptions_) &&
        sections.take(header.row_entries, table.rows_) && sections.take(header.states, table.outcome_of_) &&
        sections.take(header.states, table.kind_of_) && sections.take(header.outcomes, table.outcomes_) &&
        sections.take(header.matched, table.matched_) && sections.take(header.rules, table.rules_) &&
        sections.take(header.text, table.text_);
    if (!all || !sections.at_end()) return refused("its sections do not add up to its size");
    if (const char* wrong = table.what_is_wrong()) return refused(wrong);
    return table;
}

// Of a table whose sections are in place: the first thing in them that walk(), decide() or explain() could
// trip over, or that no compiler writes.
const char* Table::what_is_wrong() const {
    const auto& h = *header_;
    if (h.states == 0 || h.states > kMaxTableStates) return "the number of states";
    if (h.classes == 0 || h.classes > 256) return "the number of byte classes";
    if (h.mode > static_cast<unsigned>(Mode::enforce)) return "the mode";
    if (h.base >= kAuthorities || (h.layers >> kAuthorities) != 0 || (h.layers & (1U << h.base)) == 0) {
        return "the layers";
    }
    if (h.reserved != 0 || h.reserved_too != 0) return "a reserved member that is not zero";
    const auto in_text = [&](std::uint32_t offset, std::uint32_t length) {
        return offset <= h.text && length <= h.text - offset;
    };
    if (!in_text(h.id_offset, h.id_length)) return "the policy's id";
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (classes_[byte] >= h.classes) return "a byte class";
    }
    for (std::uint32_t s = 0; s < h.states; ++s) {
        if (!state_is_right(sparse_[s])) return "a state's arrows";
        if (outcome_of_[s] >= h.outcomes) return "a state's outcome";
        if (kind_of_[s] >= h.states) return "a state's kind";
    }
    for (std::uint32_t r = 0; r < h.row_entries; ++r) {
        if (rows_[r] >= h.states) return "an arrow of a row";
    }
    for (std::uint32_t r = 0; r < h.rules; ++r) {
        const auto& rule = rules_[r];
        const bool texts =
            in_text(rule.id_offset, rule.id_length) && in_text(rule.reason_offset, rule.reason_length) &&
            in_text(rule.label_offset, rule.label_length) && in_text(rule.file_offset, rule.file_length);
        if (!texts) return "a rule's text";
        if (rule.verdict > static_cast<unsigned>(Verdict::deny) || rule.authority >= kAuthorities ||
            (h.layers & (1U << rule.authority)) == 0 || (rule.actions >> kFileActions) != 0 ||
            (rule.log != Rule::kNoLog && rule.log > kLogAll)) {
            return "a rule";
        }
        if (rule.reserved[0] != 0 || rule.reserved[1] != 0 || rule.reserved[2] != 0) {
            return "a reserved member that is not zero";
        }
    }
    for (std::uint32_t o = 0; o < h.outcomes; ++o) {
        if (!outcome_is_right(outcomes_[o])) return "an outcome";
    }
    return nullptr;
}

bool Table::state_is_right(const State& state) const {
    const auto& h = *header_;
    if (state.by_default >= h.states) return false;
    if (state.count == State::kRow) {
        return state.begin <= h.row_entries && h.classes <= h.row_entries - state.begin;
    }
    if (state.begin > h.exceptions || state.count > h.exceptions - state.begin) return false;
    for (std::uint32_t e = 0; e < state.count; ++e) {
        const auto exception = exceptions_[state.begin + e];
        if ((exception & (kMaxTableStates - 1)) >= h.states) return false;
        if (e > 0 &&
            (exceptions_[state.begin + e - 1] >> kExceptionShift) >= (exception >> kExceptionShift)) {
            return false;
        }
    }
    return true;
}

bool Table::outcome_is_right(const Outcome& outcome) const {
    const auto& h = *header_;
    if (outcome.begin > h.matched || outcome.count > h.matched - outcome.begin) return false;
    const std::span matched(matched_ + outcome.begin, outcome.count);
    for (std::size_t i = 0; i < matched.size(); ++i) {
        if (matched[i] >= h.rules || (i > 0 && matched[i] <= matched[i - 1])) return false;
    }
    for (std::size_t a = 0; a < kFileActions; ++a) {
        const auto action = static_cast<FileAction>(a);
        if (outcome.winner[a] != winner_of(rules_, matched, action, static_cast<Authority>(h.base))) {
            return false;
        }
    }
    return true;
}

std::uint32_t Table::walk(std::string_view path) const {
    if (!is_resolved(path)) return kUnresolved;
    std::uint32_t at = 0;
    for (const char c : path) {
        const auto byte = static_cast<std::uint8_t>(c);
        const State& state = sparse_[at];
        if (state.count == State::kRow) {
            at = rows_[state.begin + classes_[byte]];
            continue;
        }
        at = state.by_default;
        const auto* exception = exceptions_ + state.begin;
        for (const auto* end = exception + state.count; exception != end; ++exception) {
            if (*exception >> kExceptionShift == byte) {
                at = *exception & (kMaxTableStates - 1);
                break;
            }
        }
    }
    return at;
}

std::string_view Table::text(std::uint32_t offset, std::uint32_t length) const {
    return {text_ + offset, length};
}

Decision Table::default_decision(std::string_view reason) const {
    return {.verdict = Verdict::deny,
            .decided_by = DecidedBy::default_,
            .rule = {},
            .reason = reason,
            .label = {}};
}

Decision Table::decide(std::string_view path, FileAction action) const {
    const auto state = walk(path);
    if (state == kUnresolved) return default_decision(kNotResolved);
    const auto winner = outcomes_[outcome_of_[state]].winner[static_cast<std::size_t>(action)];
    if (winner == Outcome::kDefault) return default_decision(kNoRule);
    const Rule& rule = rules_[winner];
    return {.verdict = static_cast<Verdict>(rule.verdict),
            .decided_by = DecidedBy::rule,
            .rule = text(rule.id_offset, rule.id_length),
            .reason = text(rule.reason_offset, rule.reason_length),
            .label = text(rule.label_offset, rule.label_length)};
}

Explanation Table::explain(std::string_view path, FileAction action) const {
    Explanation explanation{.decision = decide(path, action), .layers = {}};
    const auto state = walk(path);
    std::span<const std::uint32_t> matched;
    if (state != kUnresolved) {
        const auto& outcome = outcomes_[outcome_of_[state]];
        matched = {matched_ + outcome.begin, outcome.count};
    }
    for (unsigned a = 0; a < kAuthorities; ++a) {
        if ((header_->layers & (1U << a)) == 0) continue;
        auto& layer = explanation.layers.emplace_back();
        layer.authority = static_cast<Authority>(a);
        layer.base = a == header_->base;
        for (const auto id : matched) {
            const Rule& rule = rules_[id];
            if (rule.authority != a || (rule.actions & bit(action)) == 0) continue;
            layer.rules.push_back(
                {.rule = std::string(text(rule.id_offset, rule.id_length)),
                 .verdict = static_cast<Verdict>(rule.verdict),
                 .reason = std::string(text(rule.reason_offset, rule.reason_length)),
                 .file = std::string(text(rule.file_offset, rule.file_length)),
                 .line = rule.line,
                 .log = rule.log == Rule::kNoLog ? std::nullopt : std::optional<unsigned>(rule.log)});
        }
        std::stable_sort(layer.rules.begin(), layer.rules.end(),
                         [](const auto& x, const auto& y) { return x.verdict > y.verdict; });
        if (!layer.rules.empty()) {
            layer.verdict = layer.rules.front().verdict;
        } else if (layer.base) {
            layer.verdict = Verdict::deny;
        }
    }
    return explanation;
}

bool Table::same_below(std::string_view a, std::string_view b) const {
    const auto first = walk(a);
    const auto second = walk(b);
    return first != kUnresolved && second != kUnresolved && kind_of_[first] == kind_of_[second];
}

std::string_view Table::policy_id() const {
    return text(header_->id_offset, header_->id_length);
}

Mode Table::mode() const {
    return static_cast<Mode>(header_->mode);
}

std::size_t Table::states() const {
    return header_->states;
}

}  // namespace reeve::policy
