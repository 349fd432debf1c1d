// Rules, layers and random policies for tests of the engine, and the slow way to a decision.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "policy/engine.hpp"
#include "policy/stack.hpp"
#include "tests/unit/policy/parse.hpp"

namespace reeve::policy {

inline const Variables kAlice{.home = "/home/alice",
                              .workspace = "/home/alice/work",
                              .user = "alice",
                              .session = "01JD",
                              .tmp = "/tmp/alice"};

// A document with these members, of an authority; its file is its id.
inline Layer layer(Authority authority, const std::string& id, std::string_view members) {
    const auto text = R"({"schema": "reeve.policy/1", "id": ")" + id + "\", " + std::string(members) + "}";
    auto document = parse_document(text, id + ".jsonc");
    if (!document) {
        ADD_FAILURE() << to_string(document.error());
        return {};
    }
    return {.authority = authority, .document = std::move(*document)};
}

inline Policy compiled(const std::vector<Layer>& layers, std::string_view agent = kUnverified,
                       const Variables& variables = kAlice) {
    auto policy = compile(layers, variables, agent);
    if (!policy) {
        ADD_FAILURE() << to_string(policy.error());
        return compile({layer(Authority::vendor, "empty", R"("files": [])")}, variables, agent).value();
    }
    return std::move(*policy);
}
// Of the vendor's layer alone, with these file rules.
inline Policy compiled_files(const std::string& files, std::string_view agent = kUnverified) {
    return compiled({layer(Authority::vendor, "vendor", "\"files\": [" + files + "]")}, agent);
}

// What is wrong with layers, one a line; "" if nothing is.
inline std::string compile_faults(const std::vector<Layer>& layers, const Variables& variables = kAlice,
                                  std::string_view agent = kUnverified, const Bounds& bounds = {}) {
    const auto policy = compile(layers, variables, agent, bounds);
    return policy ? "" : to_string(policy.error());
}

// The decision as DESIGN section 6 words it, by the slow matcher: each layer alone, then the strictest.
struct SlowDecision {
    Verdict verdict = Verdict::deny;
    std::vector<std::string> matched;  // ids of all rules, in any order
    bool hidden = false, canary = false;
};
inline SlowDecision decide_slowly(const Policy& policy, Authority base, std::string_view path,
                                  FileAction action) {
    SlowDecision decision;
    std::optional<Verdict> of_layer[kAuthorities];
    for (const auto& rule : policy.rules()) {
        const auto matches = [&](const ExpandedPattern& pattern) { return pattern.matches(path); };
        if ((rule.actions & bit(action)) == 0 || std::ranges::none_of(rule.paths, matches) ||
            std::ranges::any_of(rule.except, matches)) {
            continue;
        }
        decision.matched.push_back(rule.id);
        auto& verdict = of_layer[static_cast<std::size_t>(rule.authority)];
        verdict = std::max(verdict.value_or(Verdict::allow), rule.verdict);
        decision.canary = decision.canary || rule.canary;
        decision.hidden = decision.hidden || rule.hidden;
    }
    decision.hidden = decision.hidden && !decision.canary;  // a canary has to be seen
    auto& of_base = of_layer[static_cast<std::size_t>(base)];
    decision.verdict = of_base.value_or(Verdict::deny);
    for (const auto& verdict : of_layer)
        decision.verdict = std::max(decision.verdict, verdict.value_or(Verdict::allow));
    return decision;
}

// Patterns and paths over few names, so that they meet.
class Dice {
  public:
    explicit Dice(unsigned seed) : random_(seed) {}

    unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
    bool one_in(unsigned bound) { return below(bound) == 0; }

    bool plain = false;  // patterns without wildcards but for a final "/**"; rules of whole rights

    std::string pattern() {
        if (plain) {
            static const char* const kPlain[] = {"a", "b", "ab", ".a"};
            std::string text;
            for (unsigned more = 1 + below(3); more > 0; --more) {
                text += "/" + std::string(kPlain[below(std::size(kPlain))]);
            }
            return one_in(4) ? text : text + "/**";
        }
        static const char* const kNames[] = {"a",     "b",    "ab",  ".a",   "*",     "**",
                                             "?",     "a*",   "*b",  "[ab]", "[!a]*", "{a,b}",
                                             "{,b}a", "a**b", "**a", "ba?",  "*a*",   "{a,**}"};
        std::string text = one_in(3) ? "**" : "/" + std::string(kNames[below(std::size(kNames))]);
        for (unsigned more = below(4); more > 0; --more)
            text += "/" + std::string(kNames[below(std::size(kNames))]);
        if (one_in(4)) text += "/**";
        return text;
    }
    std::string path() {
        static const char* const kNames[] = {"a",  "b",   "ab", ".a",  "aab",
                                             "ba", "bab", "x",  "a.b", "\xC3\xA9"};
        if (one_in(50)) return "/";
        std::string text;
        for (unsigned more = 1 + below(5); more > 0; --more)
            text += "/" + std::string(kNames[below(std::size(kNames))]);
        return text;
    }
    std::vector<PatternText> patterns(unsigned least, unsigned most) {
        std::vector<PatternText> list;
        for (unsigned n = least + below(most - least + 1); n > 0; --n) list.push_back({pattern(), {1, 1}});
        return list;
    }
    FileRule rule() {
        FileRule rule;
        rule.verdict = static_cast<Verdict>(below(3));
        rule.actions = static_cast<ActionSet>(1 + below((1U << kFileActions) - 1));
        if (one_in(2)) rule.actions = (1U << kFileActions) - 1;
        rule.named = rule.actions;
        rule.paths = patterns(1, 3);
        rule.except = patterns(0, 2);
        if (one_in(5)) rule.agents = {one_in(2) ? "one" : "other"};
        if (rule.verdict == Verdict::deny && one_in(4)) rule.hidden = true;
        if (rule.verdict == Verdict::deny && !rule.hidden && one_in(4)) rule.canary = true;
        return rule;
    }
    Document document(const std::string& id, unsigned most) {
        Document document;
        document.file = id + ".jsonc";
        document.id = id;
        for (unsigned n = 1 + below(most); n > 0; --n) document.files.push_back(rule());
        return document;
    }
    std::vector<Layer> layers() {
        std::vector<Layer> layers{{Authority::vendor, document("vendor", 5)}};
        if (one_in(2)) layers.push_back({Authority::organisation, document("acme", 4)});
        if (layers.size() == 2 && one_in(2)) layers.back().document.extends = {"vendor"};
        if (one_in(2)) layers.push_back({Authority::organisation, document("branch", 3)});
        if (one_in(2)) layers.push_back({Authority::user, document("mine", 3)});
        if (one_in(3)) layers.push_back({Authority::run, document("now", 2)});
        return layers;
    }
    std::mt19937& random() { return random_; }

  private:
    std::mt19937 random_;
};

inline constexpr FileAction kEveryAction[] = {
    FileAction::list,   FileAction::read, FileAction::write,   FileAction::create,    FileAction::remove,
    FileAction::rename, FileAction::link, FileAction::execute, FileAction::attributes};

}  // namespace reeve::policy
