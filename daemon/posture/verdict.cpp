#include "daemon/posture/verdict.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace reeve::posture {
namespace {

// Names by which policies may ask for a check that the claim carries under another one.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"firmware.secure-boot", "boot.secure-boot"},  // FORMATS uses both
};

std::string_view own_name(std::string_view id) {
    const auto* const found =
        std::ranges::find(kOtherNames, id, &std::pair<std::string_view, std::string_view>::first);
    return found == std::end(kOtherNames) ? id : found->second;
}

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(width, text.size()), ' ');
    return text;
}

}  // namespace

Verdict judge(const Posture& posture, std::span<const std::string> require) {
    Verdict verdict;
    for (const auto& id : require) {
        const auto* const check = posture.find(own_name(id));
        Requirement requirement{.id = id, .met = check && check->word == Word::kSuccess, .reason = {}};
        if (!requirement.met) requirement.reason = check ? check->reason : "unknown_check";
        verdict.compliant = verdict.compliant && requirement.met;
        verdict.requirements.push_back(std::move(requirement));
    }
    return verdict;
}

std::string to_json(const Posture& posture) {
    auto rows = nlohmann::ordered_json::array();
    for (const auto& check : posture.checks) {
        nlohmann::ordered_json row{{"area", check.area}, {"check", check.name}, {"result", text(check.word)}};
        if (!check.reason.empty()) row["reason"] = check.reason;
        row["collected"] = check.collected;
        if (!check.detail.empty()) row["detail"] = check.detail;
        if (!check.todo.empty()) row["todo"] = check.todo;
        rows.push_back(std::move(row));
    }
    // Details may quote an exception or a path that is not UTF-8: show it, do not throw.
    return rows.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_table(const Posture& posture, const Verdict& verdict) {
    std::size_t widest = 0;
    for (const auto& check : posture.checks) widest = std::max(widest, check.id().size());
    std::string table;
    for (const auto& check : posture.checks) {
        table += padded(check.id(), widest) + "  " + padded(std::string(text(check.word)), 8) + check.detail;
        if (!check.reason.empty()) table += " (" + check.reason + ")";
        table += '\n';
        if (check.word != Word::kSuccess && !check.todo.empty())
            table += std::string(widest + 10, ' ') + "to do: " + check.todo + "\n";
    }
    if (verdict.requirements.empty()) return table;
    for (const auto& requirement : verdict.requirements)
        if (!requirement.met)
            table += "required but not met: " + requirement.id + " (" + requirement.reason + ")\n";
    return table + (verdict.compliant ? "This device meets the policy.\n"
                                      : "This device falls short of the policy.\n");
}

std::vector<std::string> changes(const Posture& before, const Posture& after) {
    std::vector<std::string> ids;
    const auto compare = [&](const Posture& from, const Posture& to) {
        for (const auto& check : from.checks) {
            const auto id = check.id();
            const auto* const other = to.find(id);
            const bool same = other && other->word == check.word && other->reason == check.reason;
            if (!same && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
        }
    };
    compare(after, before);
    compare(before, after);  // for what is no longer reported
    return ids;
}

}  // namespace reeve::posture
