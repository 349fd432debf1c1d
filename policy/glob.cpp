#include "policy/glob.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace reeve::policy::glob {
namespace {

// A pattern's text after variables and classes are read: what is left are alternatives and components.
struct Token {
    enum class Kind : std::uint8_t { byte, slash, set, question, stars, open, comma, close };
    Kind kind = Kind::byte;
    std::uint8_t byte = 0;   // of byte; how many of stars, at most 2
    unsigned set_index = 0;  // of set
};
using Tokens = std::vector<Token>;

constexpr int kMaxNesting = 16;

class Reader {
  public:
    Reader(std::string_view text, const Variables& variables) : text_(text), variables_(variables) {}

    // False: error() says why.
    bool read() {
        while (at_ < text_.size()) {
            if (!read_one()) return false;
        }
        if (depth_ != 0) return fail("'{' without a '}'");
        return true;
    }
    Tokens take() { return std::move(tokens_); }
    const std::string& error() const { return error_; }
    const std::vector<std::shared_ptr<const ByteSet>>& sets() const { return sets_; }

  private:
    bool fail(std::string why) {
        error_ = std::move(why);
        return false;
    }
    void put(Token::Kind kind, std::uint8_t byte = 0) { tokens_.push_back({.kind = kind, .byte = byte}); }
    void put_literally(std::string_view bytes) {
        for (const char c : bytes) {
            if (c == '/') {
                put(Token::Kind::slash);
            } else {
                put(Token::Kind::byte, static_cast<std::uint8_t>(c));
            }
        }
    }

    bool read_one() {
        const char c = text_[at_];
        if (c == '$' && text_.substr(at_).starts_with("${")) return read_variable();
        if (c == '[') return read_set();
        ++at_;
        switch (c) {
            case '\0':
                return fail("a NUL byte, which no path has");
            case '/':
                put(Token::Kind::slash);
                break;
            case '?':
                put(Token::Kind::question);
                break;
            case '*':
                read_stars();
                break;
            case '{':
                if (++depth_ > kMaxNesting) return fail("braces inside of braces too deep");
                put(Token::Kind::open);
                break;
            case ',':
                if (depth_ == 0) {
                    put(Token::Kind::byte, ',');
                } else {
                    put(Token::Kind::comma);
                }
                break;
            case '}':
                if (depth_ == 0) return fail("'}' without a '{'");
                --depth_;
                put(Token::Kind::close);
                break;
            default:
                put(Token::Kind::byte, static_cast<std::uint8_t>(c));
        }
        return true;
    }

    void read_stars() {
        std::uint8_t stars = 1;
        while (at_ < text_.size() && text_[at_] == '*') {
            stars = 2;
            ++at_;
        }
        put(Token::Kind::stars, stars);
    }

    bool read_variable() {
        const auto end = text_.find('}', at_);
        if (end == std::string_view::npos) return fail("'${' without a '}'");
        const auto name = text_.substr(at_ + 2, end - at_ - 2);
        const std::string* value = value_of(name);
        if (value == nullptr) {
            return fail("unknown variable ${" + std::string(name) +
                        "}, there are ${home} ${workspace} ${user} ${session} ${tmp}");
        }
        if (value->empty()) return fail("${" + std::string(name) + "} has no value here");
        put_literally(*value);
        at_ = end + 1;
        return true;
    }
    const std::string* value_of(std::string_view name) const {
        if (name == "home") return &variables_.home;
        if (name == "workspace") return &variables_.workspace;
        if (name == "user") return &variables_.user;
        if (name == "session") return &variables_.session;
        if (name == "tmp") return &variables_.tmp;
        return nullptr;
    }

    bool read_set() {
        std::size_t at = at_ + 1;
        const bool complement = at < text_.size() && (text_[at] == '!' || text_[at] == '^');
        if (complement) ++at;
        ByteSet set;
        bool any = false;
        for (; at < text_.size() && text_[at] != ']'; ++at) {
            const auto first = static_cast<std::uint8_t>(text_[at]);
            std::uint8_t last = first;
            if (at + 2 < text_.size() && text_[at + 1] == '-' && text_[at + 2] != ']') {
                last = static_cast<std::uint8_t>(text_[at + 2]);
                at += 2;
            }
            if (last < first) return fail("a range that ends before it begins in '['");
            for (unsigned byte = first; byte <= last; ++byte) set.set(byte);
            any = true;
        }
        if (at >= text_.size()) return fail("'[' without a ']'");
        if (!any) return fail("an empty '[]'");
        if (complement) set.flip();
        set.reset('/');
        set.reset(0);
        if (set.none()) return fail("a '[]' that no byte of a name is in");
        tokens_.push_back(
            {.kind = Token::Kind::set, .byte = 0, .set_index = static_cast<unsigned>(sets_.size())});
        sets_.push_back(std::make_shared<const ByteSet>(set));
        at_ = at + 1;
        return true;
    }

    std::string_view text_;
    const Variables& variables_;
    std::size_t at_ = 0;
    int depth_ = 0;
    Tokens tokens_;
    std::vector<std::shared_ptr<const ByteSet>> sets_;
    std::string error_;
};

// Multiplies out the braces: every result is without open, comma and close.
class Alternatives {
  public:
    explicit Alternatives(const Tokens& tokens) : tokens_(tokens) {}

    std::optional<std::vector<Tokens>> all() {
        std::vector<Tokens> done{{}};
        std::size_t at = 0;
        if (!branch(at, done)) return std::nullopt;
        return done;
    }

  private:
    // Appends what stands up to the next comma or close of this level to each of `results`.
    bool branch(std::size_t& at, std::vector<Tokens>& results) {
        while (at < tokens_.size()) {
            const auto& token = tokens_[at];
            if (token.kind == Token::Kind::comma || token.kind == Token::Kind::close) return true;
            ++at;
            if (token.kind == Token::Kind::open) {
                if (!choice(at, results)) return false;
                continue;
            }
            bytes_ += results.size();
            if (bytes_ > kMaxExpandedBytes) return false;
            for (auto& result : results) result.push_back(token);
        }
        return true;
    }
    bool choice(std::size_t& at, std::vector<Tokens>& results) {
        std::vector<Tokens> after;
        while (true) {
            std::vector<Tokens> branches = results;
            for (const auto& result : results) bytes_ += result.size();
            if (bytes_ > kMaxExpandedBytes || !branch(at, branches)) return false;
            after.insert(after.end(), branches.begin(), branches.end());
            if (after.size() > kMaxAlternatives) return false;
            if (tokens_[at++].kind == Token::Kind::close) break;
        }
        results = std::move(after);
        return true;
    }

    const Tokens& tokens_;
    std::size_t bytes_ = 0;
};

using Component = std::vector<Token>;

bool is_double_star(const Component& component) {
    return component.size() == 1 && component[0].kind == Token::Kind::stars && component[0].byte == 2;
}

// Repeated slashes and a final one say nothing; neither does "**" after "**".
std::vector<Component> components_of(const Tokens& tokens) {
    std::vector<Component> components;
    Component current;
    const auto finish = [&] {
        if (current.empty()) return;
        if (!(is_double_star(current) && !components.empty() && is_double_star(components.back()))) {
            components.push_back(current);
        }
        current.clear();
    };
    for (const auto& token : tokens) {
        if (token.kind == Token::Kind::slash) {
            finish();
            continue;
        }
        if (token.kind == Token::Kind::stars && !current.empty() &&
            current.back().kind == Token::Kind::stars) {
            // Brought together by braces: "{a,*}*" is a star after a star, and still of one component.
            current.back().byte = std::max(current.back().byte, token.byte);
            continue;
        }
        current.push_back(token);
    }
    finish();
    return components;
}

void append_component(const Component& component, const std::vector<std::shared_ptr<const ByteSet>>& sets,
                      std::vector<Step>& steps) {
    using Kind = Step::Kind;
    for (const auto& token : component) {
        switch (token.kind) {
            case Token::Kind::set:
                steps.push_back({.kind = Kind::set, .byte = 0, .set = sets[token.set_index]});
                break;
            case Token::Kind::question:
                steps.push_back({.kind = Kind::set, .byte = 0, .set = not_slash()});
                break;
            case Token::Kind::stars:
                // No component is empty.
                if (component.size() == 1) {
                    steps.push_back({.kind = Kind::set, .byte = 0, .set = not_slash()});
                }
                steps.push_back({.kind = token.byte == 2 ? Kind::any : Kind::star, .byte = 0, .set = {}});
                break;
            default:
                steps.push_back({.kind = Kind::byte, .byte = token.byte, .set = {}});
        }
    }
}

Sequence sequence_of(const Tokens& tokens, const std::vector<std::shared_ptr<const ByteSet>>& sets) {
    const Step slash{.kind = Step::Kind::byte, .byte = '/', .set = {}};
    const auto components = components_of(tokens);
    Sequence sequence;
    auto& steps = sequence.steps;
    if (components.empty()) steps.push_back(slash);
    bool after_slash = false;
    for (std::size_t i = 0; i < components.size(); ++i) {
        const bool double_star = is_double_star(components[i]);
        if (double_star && i + 1 == components.size()) {
            steps.push_back({.kind = Step::Kind::tail, .byte = 0, .set = {}});
            break;
        }
        if (!after_slash) steps.push_back(slash);
        after_slash = double_star;
        if (double_star) {
            steps.push_back({.kind = Step::Kind::directories, .byte = 0, .set = {}});
        } else {
            append_component(components[i], sets, steps);
        }
    }
    return sequence;
}

bool begins_at_the_root(const Tokens& tokens) {
    if (tokens.empty()) return false;
    const auto& first = tokens.front();
    return first.kind == Token::Kind::slash || (first.kind == Token::Kind::stars && first.byte == 2);
}

}  // namespace

const std::shared_ptr<const ByteSet>& not_slash() {
    static const auto kSet = [] {
        ByteSet set;
        set.set();
        set.reset('/');
        set.reset(0);
        return std::make_shared<const ByteSet>(set);
    }();
    return kSet;
}

std::expected<std::vector<Sequence>, std::string> expand(std::string_view text, const Variables& variables) {
    Reader reader(text, variables);
    if (!reader.read()) return std::unexpected(reader.error());
    const Tokens tokens = reader.take();
    auto alternatives = Alternatives(tokens).all();
    if (!alternatives) {
        return std::unexpected("its braces give more than " + std::to_string(kMaxAlternatives) +
                               " alternatives or " + std::to_string(kMaxExpandedBytes) + " bytes");
    }
    std::vector<Sequence> sequences;
    const auto less = [](const Token& a, const Token& b) {
        return std::tie(a.kind, a.byte, a.set_index) < std::tie(b.kind, b.byte, b.set_index);
    };
    const auto before = [&](const Tokens& a, const Tokens& b) {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), less);
    };
    std::set<Tokens, decltype(before)> seen(before);
    for (const auto& alternative : *alternatives) {
        if (!begins_at_the_root(alternative)) {
            return std::unexpected(
                "a path pattern has to begin with '/', '**/' or a variable that is a path");
        }
        if (seen.insert(alternative).second) sequences.push_back(sequence_of(alternative, reader.sets()));
    }
    return sequences;
}

Shape shape_of(const Sequence& sequence) {
    Shape shape;
    const auto& steps = sequence.steps;
    std::size_t at = 0;
    for (; at < steps.size() && steps[at].kind == Step::Kind::byte; ++at) {
        shape.prefix += static_cast<char>(steps[at].byte);
    }
    shape.literal = at == steps.size();
    shape.tree = at + 1 == steps.size() && steps[at].kind == Step::Kind::tail;
    if (shape.tree && shape.prefix.empty()) shape.prefix = "/";
    return shape;
}

}  // namespace reeve::policy::glob
