#include "policy/table_writer.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <span>

#include "policy/table_format.hpp"

namespace reeve::policy {
namespace {

// A state with more exceptions gets a row: looking through them would take longer than it is worth.
constexpr std::size_t kMostExceptions = 8;

class Texts {
  public:
    void add(std::string_view text, std::uint32_t& offset, std::uint32_t& length) {
        const auto [at, fresh] = known_.try_emplace(std::string(text), bytes_.size());
        if (fresh) bytes_ += text;
        offset = static_cast<std::uint32_t>(at->second);
        length = static_cast<std::uint32_t>(text.size());
    }
    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
    std::map<std::string, std::size_t> known_;
};

// For each state: a class of states at which all actions have the same verdict.
std::vector<std::uint32_t> verdict_classes(const Automaton& automaton,
                                           const std::vector<std::uint32_t>& verdicts_of_accepted) {
    std::map<std::uint32_t, std::uint32_t> numbers;
    std::vector<std::uint32_t> classes;
    classes.reserve(automaton.states());
    for (const auto accepted : automaton.accepted_of) {
        const auto next = static_cast<std::uint32_t>(numbers.size());
        classes.push_back(numbers.try_emplace(verdicts_of_accepted[accepted], next).first->second);
    }
    return classes;
}

// What is decided at a path of that state, and what is decided below it: the state behind a '/'.
std::vector<std::uint32_t> kinds_of(const Automaton& automaton, const std::vector<std::uint32_t>& verdicts) {
    const auto below = refine(automaton, verdicts);
    const auto root = automaton.next(Automaton::kStart, '/');
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> numbers;
    std::vector<std::uint32_t> kinds;
    kinds.reserve(automaton.states());
    for (std::uint32_t s = 0; s < automaton.states(); ++s) {
        const auto inside = s == root ? s : automaton.next(s, '/');
        const auto next = static_cast<std::uint32_t>(numbers.size());
        kinds.push_back(numbers.try_emplace({verdicts[s], below[inside]}, next).first->second);
    }
    return kinds;
}

struct Append {
    std::vector<std::uint64_t>& words;
    std::size_t at = 0;

    template <typename T>
    void operator()(const T* items, std::size_t count) {
        if (count != 0) std::memcpy(reinterpret_cast<char*>(words.data()) + at, items, count * sizeof(T));
        at += count * sizeof(T);
    }
};

}  // namespace

std::vector<std::uint64_t> TableWriter::write(const TableInput& input, std::size_t most, std::size_t& size) {
    const auto& automaton = *input.automaton;
    Texts texts;
    Table::Header header{};
    header.magic = Table::Header::kMagic;
    header.byte_order = Table::Header::kByteOrder;
    header.mode = static_cast<std::uint8_t>(input.mode);
    header.base = static_cast<std::uint8_t>(input.base);
    header.layers = static_cast<std::uint8_t>(input.layers);
    texts.add(input.policy_id, header.id_offset, header.id_length);

    std::vector<Table::Rule> rules;
    for (const auto& from : *input.rules) {
        auto& rule = rules.emplace_back();
        texts.add(from.id, rule.id_offset, rule.id_length);
        texts.add(from.reason, rule.reason_offset, rule.reason_length);
        texts.add(from.label, rule.label_offset, rule.label_length);
        texts.add(from.file, rule.file_offset, rule.file_length);
        rule.line = from.at.line;
        rule.actions = from.actions;
        rule.verdict = static_cast<std::uint8_t>(from.verdict);
        rule.authority = static_cast<std::uint8_t>(from.authority);
        rule.log = from.log ? static_cast<std::uint8_t>(*from.log & kLogAll) : Table::Rule::kNoLog;
    }

    std::vector<Table::Outcome> outcomes;
    std::vector<std::uint32_t> matched, verdicts_of_accepted;
    for (const auto& accepted : automaton.accepted) {
        auto& outcome = outcomes.emplace_back();
        outcome.begin = static_cast<std::uint32_t>(matched.size());
        outcome.count = static_cast<std::uint32_t>(accepted.size());
        matched.insert(matched.end(), accepted.begin(), accepted.end());
        std::uint32_t verdicts = 0;
        for (std::size_t a = 0; a < kFileActions; ++a) {
            outcome.winner[a] = winner_of(rules, accepted, static_cast<FileAction>(a), input.base);
            const auto verdict = outcome.winner[a] == Table::Outcome::kDefault
                                     ? static_cast<std::uint8_t>(Verdict::deny)
                                     : rules[outcome.winner[a]].verdict;
            verdicts = verdicts * 4 + verdict;
        }
        verdicts_of_accepted.push_back(verdicts);
    }
    const auto kinds = kinds_of(automaton, verdict_classes(automaton, verdicts_of_accepted));

    // Bytes that no row tells apart share a class.
    std::array<std::uint8_t, 256> classes{};
    std::uint32_t class_count = 1;
    const auto is_wide = [&](std::uint32_t s) { return automaton.exceptions_of(s).size() > kMostExceptions; };
    for (std::uint32_t s = 0; s < automaton.states(); ++s) {
        if (!is_wide(s)) continue;
        for (const auto& exception : automaton.exceptions_of(s)) {
            auto& of_byte = classes[exception.byte];
            if (of_byte == 0 && class_count < 256) of_byte = static_cast<std::uint8_t>(class_count++);
        }
    }
    std::vector<Table::State> states;
    std::vector<std::uint32_t> exceptions, rows;
    for (std::uint32_t s = 0; s < automaton.states(); ++s) {
        const auto of_state = automaton.exceptions_of(s);
        auto& state = states.emplace_back();
        state.by_default = automaton.default_of[s];
        if (is_wide(s)) {
            state.count = Table::State::kRow;
            state.begin = static_cast<std::uint32_t>(rows.size());
            rows.resize(rows.size() + class_count, state.by_default);
            for (const auto& exception : of_state) {
                rows[state.begin + classes[exception.byte]] = exception.target;
            }
        } else {
            state.count = static_cast<std::uint32_t>(of_state.size());
            state.begin = static_cast<std::uint32_t>(exceptions.size());
            for (const auto& exception : of_state) {
                exceptions.push_back(static_cast<std::uint32_t>(exception.byte) << kExceptionShift |
                                     exception.target);
            }
        }
        if (rows.size() > most) return {};
    }

    header.states = static_cast<std::uint32_t>(states.size());
    header.exceptions = static_cast<std::uint32_t>(exceptions.size());
    header.row_entries = static_cast<std::uint32_t>(rows.size());
    header.outcomes = static_cast<std::uint32_t>(outcomes.size());
    header.matched = static_cast<std::uint32_t>(matched.size());
    header.rules = static_cast<std::uint32_t>(rules.size());
    header.classes = class_count;
    header.text = static_cast<std::uint32_t>(texts.bytes().size());
    size = sizeof header + classes.size() + states.size() * sizeof(Table::State) +
           (exceptions.size() + rows.size() + 2 * states.size() + matched.size()) * sizeof(std::uint32_t) +
           outcomes.size() * sizeof(Table::Outcome) + rules.size() * sizeof(Table::Rule) +
           texts.bytes().size();
    if (size > most || states.size() > kMaxTableStates) return {};
    header.size = static_cast<std::uint32_t>(size);

    std::vector<std::uint64_t> words((size + 7) / 8);
    Append append{words};
    append(&header, 1);
    append(classes.data(), classes.size());
    append(states.data(), states.size());
    append(exceptions.data(), exceptions.size());
    append(rows.data(), rows.size());
    append(automaton.accepted_of.data(), automaton.accepted_of.size());
    append(kinds.data(), kinds.size());
    append(outcomes.data(), outcomes.size());
    append(matched.data(), matched.size());
    append(rules.data(), rules.size());
    append(texts.bytes().data(), texts.bytes().size());
    return words;
}

}  // namespace reeve::policy
