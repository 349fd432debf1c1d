#include "policy/table.hpp"

#include <algorithm>
#include <cstring>

#include "policy/table_format.hpp"

namespace reeve::policy {
namespace {

constexpr std::uint32_t kUnresolved = 0xFFFF'FFFF;
constexpr std::uint32_t kFewExceptions = 4;
constexpr std::string_view kNoRule = "no rule of the policy allows this";
constexpr std::string_view kNotResolved = "the path is not a resolved one";

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

std::uint32_t Table::step(std::uint32_t at, std::uint8_t byte) const {
    const State& state = sparse_[at];
    if (state.count() == State::kRow) return rows_[state.begin + classes_[byte]];
    const auto* exception = exceptions_ + state.begin;
    for (const auto* end = exception + state.count(); exception != end; ++exception) {
        if (*exception >> kExceptionShift == byte) return *exception & (kMaxTableStates - 1);
    }
    return state.by_default;
}

std::uint32_t Table::step_over(std::uint32_t at, const char* byte, const char* end) const {
    while (byte != end) {
        const State& state = sparse_[at];
        if (state.stays()) return at;
        if (state.by_default == at && state.count() <= kFewExceptions) {
            // Look for the next byte that leads away, without going through the state again for each.
            const std::span exceptions(exceptions_ + state.begin, state.count());
            const auto leads_away = [&](char c) {
                const auto of_c = static_cast<std::uint32_t>(static_cast<std::uint8_t>(c));
                bool away = false;
                for (const auto exception : exceptions) away |= exception >> kExceptionShift == of_c;
                return away;
            };
            while (!leads_away(*byte)) {
                if (++byte == end) return at;
            }
        }
        at = step(at, static_cast<std::uint8_t>(*byte++));
    }
    return at;
}

// Both parts walk side by side, a name at a time. Most names need only a few steps: inside of a tree that a
// rule is about as a whole, and after the first bytes that no floating pattern knows, nothing changes before
// the next '/'.
Table::Place Table::walk(std::string_view path) const {
    const Place nowhere{.states = {kUnresolved, kUnresolved}};
    if (path.empty() || path.front() != '/' || std::memchr(path.data(), '\0', path.size()) != nullptr) {
        return nowhere;
    }
    Place at{.states = {step(header_->start[0], '/'), step(header_->start[1], '/')}};
    if (path.size() == 1) return at;
    const char* begin = path.data() + 1;
    const char* const last = path.data() + path.size();
    while (true) {
        const auto* end =
            static_cast<const char*>(std::memchr(begin, '/', static_cast<std::size_t>(last - begin)));
        if (end == nullptr) end = last;
        const std::string_view name(begin, static_cast<std::size_t>(end - begin));
        if (name.empty() || name == "." || name == "..") return nowhere;
        for (auto& state : at.states) state = step_over(state, begin, end);
        if (end == last) return at;
        for (auto& state : at.states) state = step(state, '/');
        begin = end + 1;
    }
}

Matched Table::matched_of(const Outcome& outcome) const {
    return {.rules = {matched_ + outcome.begin, outcome.count},
            .excepted = {matched_ + outcome.begin + outcome.count, outcome.excepted}};
}

const Table::Outcome& Table::outcome_at(const Place& place, std::size_t part) const {
    return outcomes_[outcome_of_[place.states[part]]];
}

std::uint32_t Table::winner_at(const Place& place, FileAction action) const {
    const auto& first = outcome_at(place, 0);
    const auto& second = outcome_at(place, 1);
    const auto is_empty = [](const Outcome& outcome) { return outcome.count + outcome.excepted == 0; };
    if (is_empty(second)) return first.winner[static_cast<std::size_t>(action)];
    if (is_empty(first)) return second.winner[static_cast<std::size_t>(action)];
    Winner winner(rules_, action, static_cast<Authority>(header_->base));
    for_each_match(matched_of(first), matched_of(second), [&](std::uint32_t rule) { winner.add(rule); });
    return winner.get();
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
    const auto place = walk(path);
    if (place.states[0] == kUnresolved) return default_decision(kNotResolved);
    const auto winner = winner_at(place, action);
    if (winner == Outcome::kDefault) return default_decision(kNoRule);
    const Rule& rule = rules_[winner];
    return {.verdict = static_cast<Verdict>(rule.verdict),
            .decided_by = DecidedBy::rule,
            .rule = text(rule.id_offset, rule.id_length),
            .reason = text(rule.reason_offset, rule.reason_length),
            .label = text(rule.label_offset, rule.label_length),
            .hidden = (rule.flags & kHidden) != 0,
            .canary = (rule.flags & kCanary) != 0};
}

Explanation Table::explain(std::string_view path, FileAction action) const {
    Explanation explanation{.decision = decide(path, action), .layers = {}};
    const auto place = walk(path);
    std::vector<std::uint32_t> matched;
    if (place.states[0] != kUnresolved) {
        for_each_match(matched_of(outcome_at(place, 0)), matched_of(outcome_at(place, 1)),
                       [&](std::uint32_t rule) { matched.push_back(rule); });
    }
    const auto strictness = [&](std::uint32_t id) {
        return strictness_of(static_cast<Verdict>(rules_[id].verdict), rules_[id].flags);
    };
    std::stable_sort(matched.begin(), matched.end(),
                     [&](auto a, auto b) { return strictness(a) > strictness(b); });
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
    if (first.states[0] == kUnresolved || second.states[0] == kUnresolved) return false;
    return kind_of_[first.states[0]] == kind_of_[second.states[0]] &&
           kind_of_[first.states[1]] == kind_of_[second.states[1]];
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
