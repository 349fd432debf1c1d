// Table::open(): bytes of any origin become a table, or the reason why not.
#include <cstdint>

#include "policy/table.hpp"
#include "policy/table_format.hpp"

namespace reeve::policy {
namespace {

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
    for (const char* wrong : {table.wrong_in_header(), table.wrong_in_states(), table.wrong_in_rules()}) {
        if (wrong != nullptr) return refused(wrong);
    }
    return table;
}

// Each gives the first thing that walk(), decide() or explain() could trip over, or that no compiler writes.
// The sections are in place.
const char* Table::wrong_in_header() const {
    const auto& h = *header_;
    if (h.states == 0 || h.states > kMaxTableStates) return "the number of states";
    if (h.start[0] >= h.states || h.start[1] >= h.states) return "a start";
    if (h.classes == 0 || h.classes > 256) return "the number of byte classes";
    if (h.mode > static_cast<unsigned>(Mode::enforce)) return "the mode";
    if (h.base >= kAuthorities || (h.layers >> kAuthorities) != 0 || (h.layers & (1U << h.base)) == 0) {
        return "the layers";
    }
    if (h.reserved != 0) return "a reserved member that is not zero";
    if (!is_in_text(h.id_offset, h.id_length)) return "the policy's id";
    return nullptr;
}

const char* Table::wrong_in_states() const {
    const auto& h = *header_;
    for (unsigned byte = 0; byte < 256; ++byte) {
        if (classes_[byte] >= h.classes) return "a byte class";
    }
    for (std::uint32_t r = 0; r < h.row_entries; ++r) {
        if (rows_[r] >= h.states) return "an arrow of a row";
    }
    for (std::uint32_t s = 0; s < h.states; ++s) {
        if (!state_is_right(s)) return "a state's arrows";
        if (outcome_of_[s] >= h.outcomes) return "a state's outcome";
        if (kind_of_[s] >= h.states) return "a state's kind";
    }
    return nullptr;
}

const char* Table::wrong_in_rules() const {
    const auto& h = *header_;
    for (std::uint32_t r = 0; r < h.rules; ++r) {
        const auto& rule = rules_[r];
        if (!is_in_text(rule.id_offset, rule.id_length) ||
            !is_in_text(rule.reason_offset, rule.reason_length) ||
            !is_in_text(rule.label_offset, rule.label_length) ||
            !is_in_text(rule.file_offset, rule.file_length)) {
            return "a rule's text";
        }
        if (rule.verdict > static_cast<unsigned>(Verdict::deny) || rule.authority >= kAuthorities ||
            (h.layers & (1U << rule.authority)) == 0 || (rule.actions >> kFileActions) != 0 ||
            (rule.log != Rule::kNoLog && rule.log > kLogAll)) {
            return "a rule";
        }
        if (rule.flags > kCanary ||
            (rule.flags != 0 && static_cast<Verdict>(rule.verdict) != Verdict::deny)) {
            return "how a rule's denials look";
        }
        if (rule.reserved[0] != 0 || rule.reserved[1] != 0) return "a reserved member that is not zero";
    }
    for (std::uint32_t o = 0; o < h.outcomes; ++o) {
        if (!outcome_is_right(outcomes_[o])) return "an outcome";
    }
    return nullptr;
}

bool Table::is_in_text(std::uint32_t offset, std::uint32_t length) const {
    return offset <= header_->text && length <= header_->text - offset;
}

bool Table::state_is_right(std::uint32_t id) const {
    const auto& h = *header_;
    const State& state = sparse_[id];
    if (state.by_default >= h.states) return false;
    if (state.count() == State::kRow) {
        return !state.stays() && state.begin <= h.row_entries && h.classes <= h.row_entries - state.begin;
    }
    if (state.begin > h.exceptions || state.count() > h.exceptions - state.begin) return false;
    bool stays = state.by_default == id;
    for (std::uint32_t e = 0; e < state.count(); ++e) {
        const auto exception = exceptions_[state.begin + e];
        const auto byte = exception >> kExceptionShift;
        if ((exception & (kMaxTableStates - 1)) >= h.states) return false;
        if (e > 0 && (exceptions_[state.begin + e - 1] >> kExceptionShift) >= byte) return false;
        stays = stays && byte == '/';
    }
    return stays == state.stays();
}

bool Table::outcome_is_right(const Outcome& outcome) const {
    const auto& h = *header_;
    if (outcome.begin > h.matched || outcome.count > h.matched - outcome.begin ||
        outcome.excepted > h.matched - outcome.begin - outcome.count) {
        return false;
    }
    const auto matched = matched_of(outcome);
    for (const auto& list : {matched.rules, matched.excepted}) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (list[i] >= h.rules || (i > 0 && list[i] <= list[i - 1])) return false;
        }
    }
    for (std::size_t a = 0; a < kFileActions; ++a) {
        Winner winner(rules_, static_cast<FileAction>(a), static_cast<Authority>(h.base));
        for (const auto rule : matched.rules) winner.add(rule);
        if (outcome.winner[a] != winner.get()) return false;
    }
    return true;
}

}  // namespace reeve::policy
