#include "policy/table_writer.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <utility>

#include "policy/table_format.hpp"

namespace reeve::policy {
namespace {

// A state with more exceptions gets a row: looking through them would take longer than it is worth.
constexpr std::size_t kMostExceptions = 8;

class Texts {
  public:
    void add(const std::string& text, std::uint32_t& offset, std::uint32_t& length) {
        const auto [at, fresh] = known_.try_emplace(text, bytes_.size());
        if (fresh) bytes_ += text;
        offset = static_cast<std::uint32_t>(at->second);
        length = static_cast<std::uint32_t>(text.size());
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
    std::map<std::string, std::size_t> known_;
};

// Gives each distinct value a number, from 0.
template <typename T>
class Numbers {
  public:
    std::uint32_t operator()(T value) {
        const auto next = static_cast<std::uint32_t>(numbers_.size());
        return numbers_.try_emplace(std::move(value), next).first->second;
    }

  private:
    std::map<T, std::uint32_t> numbers_;
};

bool is_wide(const Automaton& part, std::uint32_t state) {
    return part.exceptions_of(state).size() > kMostExceptions;
}

// What an outcome adds to verdicts, whatever the other part says: in each layer the strictest verdict for each
// action. Rules that both parts speak of count by name, since the other may except them.
struct Weight {
    std::array<std::uint32_t, kAuthorities> verdicts{};
    std::vector<std::uint32_t> shared, excepted;
    auto operator<=>(const Weight&) const = default;
};

constexpr std::uint32_t weight_of(Verdict verdict) {
    return static_cast<std::uint32_t>(verdict) + 1;  // 0 is no match
}

// `alone`: the other part allows and asks nothing in the base layer, so that no match here is a denial.
Weight weight_of(const Automaton::Accepted& accepted, const TableInput& input, bool alone) {
    Weight weight{.shared = {}, .excepted = accepted.excepted};
    const auto base = static_cast<std::size_t>(input.base);
    for (std::size_t a = 0; a < kFileActions; ++a) {
        std::array<std::uint32_t, kAuthorities> strictest{};
        bool has_shared = false;
        for (const auto id : accepted.rules) {
            const auto& rule = (*input.rules)[id];
            has_shared = has_shared || input.shared[id];
            if ((rule.actions & bit(static_cast<FileAction>(a))) == 0 || input.shared[id]) continue;
            auto& of_layer = strictest[static_cast<std::size_t>(rule.authority)];
            of_layer = std::max(of_layer, weight_of(rule.verdict));
        }
        if (alone && !has_shared && strictest[base] == 0) strictest[base] = weight_of(Verdict::deny);
        for (std::size_t l = 0; l < kAuthorities; ++l) {
            // To allow is nothing but in the base layer, and where that denies the others add nothing.
            const bool idle = l != base && (strictest[l] == weight_of(Verdict::allow) ||
                                            strictest[base] == weight_of(Verdict::deny));
            weight.verdicts[l] = weight.verdicts[l] * 4 + (idle ? 0 : strictest[l]);
        }
    }
    for (const auto id : accepted.rules) {
        if (input.shared[id]) weight.shared.push_back(id);
    }
    return weight;
}

bool grants_something(const Automaton& part, const TableInput& input) {
    return std::ranges::any_of(part.accepted, [&](const Automaton::Accepted& accepted) {
        return std::ranges::any_of(accepted.rules, [&](std::uint32_t id) {
            const auto& rule = (*input.rules)[id];
            return rule.authority == input.base && rule.verdict != Verdict::deny;
        });
    });
}

// What is decided at a path of that state, and what is decided below it: by the state behind a '/'.
std::vector<std::uint32_t> kinds_of(const Automaton& part, const TableInput& input, bool alone) {
    Numbers<Weight> weights;
    std::vector<std::uint32_t> of_accepted;
    for (const auto& accepted : part.accepted)
        of_accepted.push_back(weights(weight_of(accepted, input, alone)));
    Numbers<std::uint32_t> dense;  // classes have to be below the number of states
    std::vector<std::uint32_t> initial;
    for (const auto accepted : part.accepted_of) initial.push_back(dense(of_accepted[accepted]));
    const auto below = refine(part, initial);
    const auto root = part.next(Automaton::kStart, '/');
    Numbers<std::pair<std::uint32_t, std::uint32_t>> kinds;
    std::vector<std::uint32_t> kind_of;
    for (std::uint32_t s = 0; s < part.states(); ++s) {
        kind_of.push_back(kinds({initial[s], below[s == root ? s : part.next(s, '/')]}));
    }
    return kind_of;
}

}  // namespace

class TableWriter::Sections {
  public:
    explicit Sections(const TableInput& input) : input_(input) {
        add_rules();
        find_classes();
        for (std::size_t p = 0; p < input.parts.size(); ++p) {
            header_.start[p] = static_cast<std::uint32_t>(states_.size()) + Automaton::kStart;
            add_outcomes(input.parts[p]);
            add_states(input.parts[p], !grants_something(input.parts[1 - p], input));
        }
    }

    TableBytes bytes(std::size_t most) {
        TableBytes bytes{.words = {}, .size = size()};
        if (bytes.size > most || states_.size() > kMaxTableStates) return bytes;
        fill_header(bytes.size);
        bytes.words.resize((bytes.size + 7) / 8);
        auto* to = reinterpret_cast<char*>(bytes.words.data());
        const auto append = [&to](const auto* items, std::size_t count) {
            if (count != 0) std::memcpy(to, items, count * sizeof *items);
            to += count * sizeof *items;
        };
        append(&header_, 1);
        append(classes_.data(), classes_.size());
        append(states_.data(), states_.size());
        append(exceptions_.data(), exceptions_.size());
        append(rows_.data(), rows_.size());
        append(outcome_of_.data(), outcome_of_.size());
        append(kind_of_.data(), kind_of_.size());
        append(outcomes_.data(), outcomes_.size());
        append(matched_.data(), matched_.size());
        append(rules_.data(), rules_.size());
        append(texts_.bytes().data(), texts_.bytes().size());
        return bytes;
    }

  private:
    std::size_t size() const {
        return sizeof header_ + classes_.size() + states_.size() * sizeof(Table::State) +
               (exceptions_.size() + rows_.size() + outcome_of_.size() + kind_of_.size() + matched_.size()) *
                   sizeof(std::uint32_t) +
               outcomes_.size() * sizeof(Table::Outcome) + rules_.size() * sizeof(Table::Rule) +
               texts_.bytes().size();
    }

    void fill_header(std::size_t size) {
        const auto number = [](std::size_t n) { return static_cast<std::uint32_t>(n); };
        header_.magic = Table::Header::kMagic;
        header_.byte_order = Table::Header::kByteOrder;
        header_.size = number(size);
        header_.states = number(states_.size());
        header_.exceptions = number(exceptions_.size());
        header_.row_entries = number(rows_.size());
        header_.outcomes = number(outcomes_.size());
        header_.matched = number(matched_.size());
        header_.rules = number(rules_.size());
        header_.text = number(texts_.bytes().size());
        header_.classes = class_count_;
        header_.mode = static_cast<std::uint8_t>(input_.mode);
        header_.base = static_cast<std::uint8_t>(input_.base);
        header_.layers = static_cast<std::uint8_t>(input_.layers);
    }

    void add_rules() {
        texts_.add(input_.policy_id, header_.id_offset, header_.id_length);
        for (const auto& from : *input_.rules) {
            auto& rule = rules_.emplace_back();
            texts_.add(from.id, rule.id_offset, rule.id_length);
            texts_.add(from.reason, rule.reason_offset, rule.reason_length);
            texts_.add(from.label, rule.label_offset, rule.label_length);
            texts_.add(from.file, rule.file_offset, rule.file_length);
            rule.line = from.at.line;
            rule.actions = from.actions;
            rule.verdict = static_cast<std::uint8_t>(from.verdict);
            rule.authority = static_cast<std::uint8_t>(from.authority);
            rule.log = from.log ? static_cast<std::uint8_t>(*from.log & kLogAll) : Table::Rule::kNoLog;
            rule.flags = flags_of(from.hidden, from.canary);
        }
    }

    // Bytes that no row tells apart share a class.
    void find_classes() {
        for (const auto& part : input_.parts) {
            for (std::uint32_t s = 0; s < part.states(); ++s) {
                if (!is_wide(part, s)) continue;
                for (const auto& exception : part.exceptions_of(s)) {
                    auto& of_byte = classes_[exception.byte];
                    if (of_byte == 0) of_byte = static_cast<std::uint8_t>(class_count_++);
                }
            }
        }
    }

    void add_outcomes(const Automaton& part) {
        const auto first = static_cast<std::uint32_t>(outcomes_.size());
        for (const auto& accepted : part.accepted) {
            auto& outcome = outcomes_.emplace_back();
            outcome.begin = static_cast<std::uint32_t>(matched_.size());
            outcome.count = static_cast<std::uint32_t>(accepted.rules.size());
            outcome.excepted = static_cast<std::uint32_t>(accepted.excepted.size());
            matched_.insert(matched_.end(), accepted.rules.begin(), accepted.rules.end());
            matched_.insert(matched_.end(), accepted.excepted.begin(), accepted.excepted.end());
            for (std::size_t a = 0; a < kFileActions; ++a) {
                Winner winner(rules_.data(), static_cast<FileAction>(a), input_.base);
                for (const auto rule : accepted.rules) winner.add(rule);
                outcome.winner[a] = winner.get();
            }
        }
        for (const auto accepted : part.accepted_of) outcome_of_.push_back(first + accepted);
    }

    void add_states(const Automaton& part, bool alone) {
        const auto first = static_cast<std::uint32_t>(states_.size());
        const auto kinds = kinds_of(part, input_, alone);
        kind_of_.insert(kind_of_.end(), kinds.begin(), kinds.end());
        for (std::uint32_t s = 0; s < part.states(); ++s) {
            const auto exceptions = part.exceptions_of(s);
            auto& state = states_.emplace_back();
            state.by_default = first + part.default_of[s];
            if (is_wide(part, s)) {
                state.arrows = Table::State::kRow;
                state.begin = static_cast<std::uint32_t>(rows_.size());
                rows_.resize(rows_.size() + class_count_, state.by_default);
                for (const auto& [byte, target] : exceptions) {
                    rows_[state.begin + classes_[byte]] = first + target;
                }
                continue;
            }
            const bool stays = part.default_of[s] == s &&
                               std::ranges::all_of(exceptions, [](const auto& e) { return e.byte == '/'; });
            state.arrows = static_cast<std::uint32_t>(exceptions.size()) | (stays ? Table::State::kStays : 0);
            state.begin = static_cast<std::uint32_t>(exceptions_.size());
            for (const auto& [byte, target] : exceptions) {
                exceptions_.push_back(static_cast<std::uint32_t>(byte) << kExceptionShift | (first + target));
            }
        }
    }

    const TableInput& input_;
    Table::Header header_{};
    std::array<std::uint8_t, 256> classes_{};
    std::uint32_t class_count_ = 1;
    std::vector<Table::State> states_;
    std::vector<std::uint32_t> exceptions_, rows_, outcome_of_, kind_of_, matched_;
    std::vector<Table::Outcome> outcomes_;
    std::vector<Table::Rule> rules_;
    Texts texts_;
};

TableBytes TableWriter::write(const TableInput& input, std::size_t most) {
    return Sections(input).bytes(most);
}

}  // namespace reeve::policy
