#include "policy/json_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <unordered_map>
#include <utility>

#include "policy/utf8.hpp"

namespace reeve::policy {
namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// One pass over the text. Its functions give false once something is wrong, which is then in the report.
class Scanner {
  public:
    Scanner(std::string_view text, const JsonBounds& bounds, Report& report)
        : text_(text), bounds_(bounds), report_(report) {}

    bool document(JsonNode& root) {
        if (text_.starts_with("\xEF\xBB\xBF")) offset_ = 3;
        if (!check_encoding() || !space() || !value(root, 0) || !space()) return false;
        return at_end() ||
               fail("expected the end of the file, found " + found(), "a document is one JSON object in { }");
    }

  private:
    bool at_end() const { return offset_ == text_.size(); }
    char peek() const { return at_end() ? '\0' : text_[offset_]; }
    bool fail(std::string message, std::string hint = "") {
        report_.error(at_, std::move(message), std::move(hint));
        return false;
    }

    void advance() {
        const char c = text_[offset_++];
        if (c == '\n') {
            ++at_.line;
            at_.column = 1;
        } else if (offset_ == text_.size() || !is_continuation(text_[offset_])) {
            ++at_.column;  // with the last byte of a character
        }
    }
    void advance(std::size_t count) {
        while (count-- > 0) advance();
    }

    std::string found() const {
        if (at_end()) return "the end of the file";
        return in_quotes(text_.substr(offset_, std::max<std::size_t>(1, utf8_length(text_.substr(offset_)))));
    }

    // Where all of it is UTF-8, nothing else has to look.
    bool check_encoding() {
        Position at{1, 1};
        for (std::size_t i = offset_; i < text_.size();) {
            const std::size_t length = utf8_length(text_.substr(i));
            if (length == 0) {
                report_.error(at, "the bytes here are not UTF-8", "save the file with the encoding UTF-8");
                return false;
            }
            ++at.column;
            if (text_[i] == '\n') at = {at.line + 1, 1};
            i += length;
        }
        return true;
    }

    bool space() {
        while (!at_end()) {
            const char c = peek();
            if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
                advance();
            } else if (c == '/') {
                if (!comment()) return false;
            } else {
                break;
            }
        }
        return true;
    }

    bool comment() {
        const std::string_view rest = text_.substr(offset_);
        if (rest.starts_with("//")) {
            while (!at_end() && peek() != '\n' && peek() != '\r') advance();
            return true;
        }
        if (!rest.starts_with("/*"))
            return fail("expected a comment, found \"/\"", "comments are // or /* */");
        const auto end = rest.find("*/", 2);
        if (end == std::string_view::npos) return fail("this comment does not end", "end it with */");
        advance(end + 2);
        return true;
    }

    bool value(JsonNode& node, std::size_t depth) {
        node.at = at_;
        if (++nodes_ > bounds_.nodes) {
            return fail("the document has more than " + std::to_string(bounds_.nodes) + " values");
        }
        switch (peek()) {
            case '{':
                return object(node, depth + 1);
            case '[':
                return array(node, depth + 1);
            case '"':
                node.kind = JsonNode::Kind::string;
                return string(node.text);
            default:
                return peek() == '-' || is_digit(peek()) ? number(node) : word(node);
        }
    }

    bool word(JsonNode& node) {
        static constexpr std::array<std::pair<std::string_view, JsonNode::Kind>, 3> kWords{
            {{"true", JsonNode::Kind::boolean},
             {"false", JsonNode::Kind::boolean},
             {"null", JsonNode::Kind::null}}};
        for (const auto& [text, kind] : kWords) {
            if (!text_.substr(offset_).starts_with(text)) continue;
            node.kind = kind;
            node.truth = text == "true";
            advance(text.size());
            return true;
        }
        return fail("expected a value, found " + found(), peek() == '\'' ? "texts stand in double quotes"
                                                          : at_end() ? "a bracket or a quote is still open"
                                                                     : "");
    }

    bool digits() {
        if (!is_digit(peek())) return fail("expected a digit, found " + found());
        while (is_digit(peek())) advance();
        return true;
    }

    bool number(JsonNode& node) {
        node.kind = JsonNode::Kind::number;
        const std::size_t start = offset_;
        if (peek() == '-') advance();
        if (peek() == '0') {
            advance();
            if (is_digit(peek())) return fail("a number does not start with 0");
        } else if (!digits()) {
            return false;
        }
        if (peek() == '.') {
            advance();
            if (!digits()) return false;
        }
        if (peek() == 'e' || peek() == 'E') {
            advance();
            if (peek() == '+' || peek() == '-') advance();
            if (!digits()) return false;
        }
        node.text = text_.substr(start, offset_ - start);
        return true;
    }

    bool string(std::string& out) {
        const Position start = at_;
        advance();
        while (!at_end() && peek() != '"') {
            const char c = peek();
            if (static_cast<unsigned char>(c) < 0x20) {
                if (c != '\n' && c != '\r') {
                    return fail("a control character cannot stand in a text", "write it as a \\u escape");
                }
                break;
            }
            if (c == '\\') {
                if (!escape(out)) return false;
            } else {
                out += c;
                advance();
            }
        }
        if (peek() != '"') {
            report_.error(start, "this text does not end on its line", "end it with a double quote");
            return false;
        }
        advance();
        return true;
    }

    bool escape(std::string& out) {
        static constexpr std::string_view kNames = "\"\\/bfnrt", kValues = "\"\\/\b\f\n\r\t";
        const char name = offset_ + 1 < text_.size() ? text_[offset_ + 1] : '\0';
        if (name == 'u') return unicode(out);
        const auto index = name == '\0' ? std::string_view::npos : kNames.find(name);
        if (index == std::string_view::npos) {
            return fail("unknown escape", "a backslash in a text is written \\\\");
        }
        out += kValues[index];
        advance(2);
        return true;
    }

    // The four digits behind \u at the cursor, which moves past them.
    std::optional<std::uint32_t> unit() {
        std::uint32_t value = 0;
        for (std::size_t i = 2; i < 6; ++i) {
            const char c = offset_ + i < text_.size() ? text_[offset_ + i] : '\0';
            const int digit = is_digit(c)              ? c - '0'
                              : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                              : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                                       : -1;
            if (digit < 0) return std::nullopt;
            value = value * 16 + static_cast<std::uint32_t>(digit);
        }
        advance(6);
        return value;
    }

    bool unicode(std::string& out) {
        const Position start = at_;
        const auto bad = [&](const char* why) {
            report_.error(start, why, "write the character itself, or \\u and four hexadecimal digits");
            return false;
        };
        const auto first = unit();
        if (!first) return bad("this \\u escape has no four hexadecimal digits");
        std::uint32_t code = *first;
        if (code >= 0xDC00 && code < 0xE000) return bad("this \\u escape is half a character");
        if (code >= 0xD800 && code < 0xDC00) {
            const auto second = text_.substr(offset_).starts_with("\\u") ? unit() : std::nullopt;
            if (!second || *second < 0xDC00 || *second >= 0xE000)
                return bad("this \\u escape is half a character");
            code = 0x10000 + ((code - 0xD800) << 10) + (*second - 0xDC00);
        }
        append_utf8(out, code);
        return true;
    }

    bool deeper(std::size_t depth) {
        return depth <= bounds_.depth ||
               fail("nested more than " + std::to_string(bounds_.depth) + " levels deep");
    }

    bool array(JsonNode& node, std::size_t depth) {
        node.kind = JsonNode::Kind::array;
        if (!deeper(depth)) return false;
        advance();
        if (!space()) return false;
        while (peek() != ']') {
            if (!value(node.items.emplace_back(), depth) || !separator(']')) return false;
        }
        advance();
        return true;
    }

    bool object(JsonNode& node, std::size_t depth) {
        node.kind = JsonNode::Kind::object;
        if (!deeper(depth)) return false;
        advance();
        if (!space()) return false;
        std::unordered_map<std::string, Position> seen;
        while (peek() != '}') {
            if (!member(node.items.emplace_back(), depth, seen) || !separator('}')) return false;
        }
        advance();
        return true;
    }

    bool member(JsonNode& node, std::size_t depth, std::unordered_map<std::string, Position>& seen) {
        node.key_at = at_;
        if (peek() != '"') {
            return fail("expected a key in double quotes, found " + found(),
                        at_end() ? "a { is still open" : "");
        }
        if (!string(node.key)) return false;
        const auto [first, is_new] = seen.emplace(node.key, node.key_at);
        if (!is_new) {
            report_.error(node.key_at, "the key " + in_quotes(node.key) + " is here twice",
                          "the first is in line " + std::to_string(first->second.line));
        }
        if (!space()) return false;
        if (peek() != ':')
            return fail("expected \":\" behind the key " + in_quotes(node.key) + ", found " + found());
        advance();
        return space() && value(node, depth);
    }

    // Behind a value of a list: a comma with something behind it, or the end.
    bool separator(char end) {
        if (!space()) return false;
        if (peek() == end) return true;
        if (peek() != ',') {
            return fail(std::string("expected \",\" or \"") + end + "\", found " + found(),
                        at_end() ? "a bracket is still open" : "");
        }
        const Position comma = at_;
        advance();
        if (!space()) return false;
        if (peek() != end) return true;
        report_.error(comma, "there is a comma behind the last value", "remove it");
        return false;
    }

    std::string_view text_;
    const JsonBounds& bounds_;
    Report& report_;
    std::size_t offset_ = 0, nodes_ = 0;
    Position at_{1, 1};
};

}  // namespace

std::optional<JsonNode> read_json(std::string_view text, const JsonBounds& bounds, Report& report) {
    if (text.size() > bounds.bytes) {
        report.error({}, "the file has " + std::to_string(text.size()) + " bytes, more than " +
                             std::to_string(bounds.bytes));
        return std::nullopt;
    }
    JsonNode root;
    if (!Scanner(text, bounds, report).document(root)) return std::nullopt;
    return root;
}

std::string_view kind_name(JsonNode::Kind kind) {
    switch (kind) {
        case JsonNode::Kind::null:
            return "null";
        case JsonNode::Kind::boolean:
            return "true or false";
        case JsonNode::Kind::number:
            return "a number";
        case JsonNode::Kind::string:
            return "a text";
        case JsonNode::Kind::array:
            return "a list";
        case JsonNode::Kind::object:
            return "an object";
    }
    return "";
}

}  // namespace reeve::policy
