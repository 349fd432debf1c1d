// The syntax of patterns, checked where people can still be told the place. It is a little stricter than
// policy/glob.hpp: what would quietly mean something else than it seems to is refused.
#include <algorithm>
#include <array>

#include "policy/document_reader.hpp"

namespace reeve::policy {
namespace {

constexpr std::size_t kMaxBraces = 16;  // in one another

struct Variable {
    std::string_view name;
    bool is_path, is_persons;
};
constexpr std::array<Variable, 5> kVariables{{{"home", true, true},
                                              {"workspace", true, false},
                                              {"user", false, true},
                                              {"session", false, false},
                                              {"tmp", true, false}}};

const Variable* variable(std::string_view name) {
    const auto found = std::ranges::find(kVariables, name, &Variable::name);
    return found == kVariables.end() ? nullptr : &*found;
}

std::string all_names(VariableSet set) {
    std::string names;
    for (const auto& known : kVariables) {
        if (set == VariableSet::person && !known.is_persons) continue;
        names += (names.empty() ? "known here: ${" : ", ${") + std::string(known.name) + "}";
    }
    return names;
}

class PatternChecker {
  public:
    PatternChecker(std::string_view text, VariableSet variables) : text_(text), variables_(variables) {}

    std::optional<PatternFault> check() {
        if (text_.size() > kMaxPatternBytes) {
            return PatternFault{"more than " + std::to_string(kMaxPatternBytes) + " bytes", ""};
        }
        while (at_ < text_.size() && !fault_) step();
        if (!fault_ && depth_ != 0) fail("\"{\" without a \"}\"", "write [{] for a brace of a name");
        return fault_;
    }

  private:
    void fail(std::string message, std::string hint) { fault_ = {std::move(message), std::move(hint)}; }

    void step() {
        const char c = text_[at_];
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            return fail("a control character", "write ? for it");
        }
        if (c == '\\')
            return fail("a backslash means nothing here", "write [*] for a star, ? for any one byte");
        if (c == '[') return set();
        if (text_.substr(at_).starts_with("${")) return variable_name();
        if (text_.substr(at_).starts_with("***")) {
            return fail("three stars", "* stays within one component, ** does not");
        }
        if (c == '{' && ++depth_ > kMaxBraces) {
            return fail("braces in more than " + std::to_string(kMaxBraces) + " others",
                        "make several patterns of it");
        }
        if (c == '}' && depth_-- == 0)
            return fail("\"}\" without a \"{\"", "write [}] for a brace of a name");
        ++at_;
    }

    void variable_name() {
        const auto end = text_.find('}', at_);
        if (end == std::string_view::npos)
            return fail("\"${\" without a \"}\"", "write [$]{ for the signs as such");
        const auto name = text_.substr(at_ + 2, end - at_ - 2);
        const auto* known = variable(name);
        if (variables_ == VariableSet::none) {
            return fail("variables have no meaning here", "write the text itself, or a star");
        }
        if (known == nullptr)
            return fail("unknown variable " + in_quotes("${" + std::string(name) + "}"),
                        all_names(variables_));
        if (variables_ == VariableSet::person && !known->is_persons) {
            return fail("${" + std::string(name) + "} has no value before the session starts",
                        all_names(variables_));
        }
        at_ = end + 1;
    }

    void set() {
        std::size_t at = at_ + 1;
        if (text_.substr(at).starts_with('^')) {
            return fail("\"[^\" is not known", "write [!a-z] for all but a to z");
        }
        if (text_.substr(at).starts_with('!')) ++at;
        const auto end = text_.find(']', at);
        if (end == std::string_view::npos)
            return fail("\"[\" without a \"]\"", "write [[] for a bracket of a name");
        const auto body = text_.substr(at, end - at);
        if (body.empty()) return fail("an empty \"[]\"", "name the bytes that may stand here, such as [a-z]");
        for (std::size_t i = 0; i < body.size(); ++i) {
            const auto byte = static_cast<unsigned char>(body[i]);
            if (byte < 0x20 || byte >= 0x7F) {
                return fail("only ASCII characters can stand in [ ]",
                            "write {é,è} for characters of several bytes");
            }
            if (body[i] == '/' || body[i] == '\\') {
                return fail(std::string("\"") + body[i] + "\" cannot stand in [ ]",
                            "write ? for any one byte");
            }
            if (body[i] == '-' && i > 0 && i + 1 < body.size()) {
                if (body[i - 1] > body[i + 1]) {
                    return fail("the range " + in_quotes(body.substr(i - 1, 3)) + " is the wrong way round",
                                "write the smaller character first");
                }
                ++i;
            }
        }
        at_ = end + 1;
    }

    std::string_view text_;
    VariableSet variables_;
    std::size_t at_ = 0, depth_ = 0;
    std::optional<PatternFault> fault_;
};

// Where a path pattern starts; those with braces at the start do in each of the alternatives.
std::optional<PatternFault> check_start(std::string_view text) {
    if (text.starts_with('/') || text.starts_with("**")) return std::nullopt;
    if (text.starts_with("${")) {
        const auto name = text.substr(2, text.find('}') - 2);
        const auto* known = variable(name);
        if (known == nullptr || known->is_path) return std::nullopt;
        return PatternFault{"${" + std::string(name) + "} is not a path", "put what is before it in front"};
    }
    if (text.starts_with('{')) {
        std::size_t depth = 0, start = 1;
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (text[i] == '[') i = text.find(']', i);
            if (text[i] == '{') ++depth;
            const bool ends = text[i] == '}' && --depth == 0;
            if (!ends && (text[i] != ',' || depth != 1)) continue;
            if (auto fault = check_start(text.substr(start, i - start))) return fault;
            if (ends) return std::nullopt;
            start = i + 1;
        }
    }
    if (text.starts_with('~') || text.starts_with("$HOME")) {
        return PatternFault{"a path pattern starts with / or ** or a variable", "the home is ${home}"};
    }
    return PatternFault{"a path pattern starts with / or ** or a variable",
                        "write " + in_quotes("**/" + std::string(text)) + " for it anywhere"};
}

// Components that no resolved path has.
std::optional<PatternFault> check_components(std::string_view text) {
    if (text.size() > 1 && text.ends_with('/')) {
        return PatternFault{"a slash at the end", "write \"…/**\" for a directory and all below it"};
    }
    if (text.find("//") != std::string_view::npos) return PatternFault{"two slashes in a row", "remove one"};
    for (std::size_t at = text.find('/'); at != std::string_view::npos; at = text.find('/', at + 1)) {
        const auto component = text.substr(at + 1, text.find('/', at + 1) - at - 1);
        if (component == "." || component == "..") {
            return PatternFault{"\"" + std::string(component) + "\" never is in a resolved path",
                                "write the path that it leads to"};
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<PatternFault> check_path_pattern(std::string_view text, VariableSet variables) {
    if (text.empty()) return PatternFault{"an empty pattern", "write \"/**\" for everything"};
    if (auto fault = PatternChecker(text, variables).check()) return fault;
    if (auto fault = check_start(text)) return fault;
    return check_components(text);
}

std::optional<PatternFault> check_resource_pattern(std::string_view text) {
    if (text.empty()) return PatternFault{"an empty pattern", "write \"**\" for everything"};
    return PatternChecker(text, VariableSet::none).check();
}

std::vector<PatternText> read_patterns(const JsonNode* node, bool may_be_empty, VariableSet variables,
                                       Report& report) {
    std::vector<PatternText> patterns;
    std::set<std::string_view> seen;
    read_list(node, kMaxPatterns, may_be_empty, report, [&](const JsonNode& entry) {
        if (!is_text(entry, "a pattern", report)) return;
        if (const auto fault = check_path_pattern(entry.text, variables)) {
            report.error(entry.at, "the pattern " + in_quotes(entry.text) + ": " + fault->message,
                         fault->hint);
            return;
        }
        if (!seen.insert(entry.text).second) {
            report.error(entry.at, in_quotes(entry.text) + " is in this list twice", "remove one");
        }
        patterns.push_back({entry.text, entry.at});
    });
    return patterns;
}

}  // namespace reeve::policy
