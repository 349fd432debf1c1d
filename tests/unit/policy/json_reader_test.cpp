// JSON with comments: what is read, what is refused, and the places that are named.
#include "policy/json_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/document.hpp"
#include "policy/utf8.hpp"

namespace reeve::policy {
namespace {

using testing::HasSubstr;

constexpr JsonBounds kBounds{1000, 8, 50};

// What was wrong, or "" and the tree in `tree`.
std::string read(std::string_view text, JsonNode* tree = nullptr) {
    Report report("f");
    auto node = read_json(text, kBounds, report);
    EXPECT_TRUE(node || report.failed());
    if (node && tree != nullptr) *tree = std::move(*node);
    return to_string(report.errors());
}
std::string text_of(std::string_view text) {
    JsonNode tree;
    EXPECT_EQ(read(text, &tree), "");
    EXPECT_EQ(tree.kind, JsonNode::Kind::string);
    return tree.text;
}

TEST(JsonReader, ReadsEveryKindOfValue) {
    JsonNode tree;
    ASSERT_EQ(read(R"({"a": [1, -2.5e+3, "x", true, false, null], "b": {}})", &tree), "");
    ASSERT_EQ(tree.items.size(), 2U);
    const auto& list = tree.items[0].items;
    ASSERT_EQ(list.size(), 6U);
    EXPECT_EQ(list[0].text, "1");
    EXPECT_EQ(list[1].text, "-2.5e+3");
    EXPECT_EQ(list[2].text, "x");
    EXPECT_TRUE(list[3].truth);
    EXPECT_FALSE(list[4].truth);
    EXPECT_EQ(list[5].kind, JsonNode::Kind::null);
    EXPECT_EQ(tree.items[1].key, "b");
    EXPECT_EQ(tree.items[1].kind, JsonNode::Kind::object);
}

TEST(JsonReader, PlacesCountCharacters) {
    JsonNode tree;
    ASSERT_EQ(
        read("\xEF\xBB\xBF{ // ä comment\r\n  \"größe\":\t\"🙂\", /* two\nlines */ \"b\": 1}", &tree),
        "");
    EXPECT_EQ(tree.at.column, 1U);
    EXPECT_EQ(tree.items[0].key_at.line, 2U);
    EXPECT_EQ(tree.items[0].key_at.column, 3U);
    EXPECT_EQ(tree.items[0].at.column, 12U);
    EXPECT_EQ(tree.items[1].key_at.line, 3U);
    EXPECT_EQ(tree.items[1].key_at.column, 10U);
    EXPECT_THAT(read("[\"🙂é\" x]"), HasSubstr("f:1:7: expected \",\" or \"]\", found \"x\""));
}

// Editors show a new line there, and what is on it must not be hidden.
TEST(JsonReader, CommentsEndAtACarriageReturn) {
    JsonNode tree;
    ASSERT_EQ(read("[ // one\r2]", &tree), "");
    EXPECT_EQ(tree.items.size(), 1U);
}

TEST(JsonReader, ReadsEscapes) {
    EXPECT_EQ(text_of(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
    EXPECT_EQ(text_of(R"("\u0041\u00e9\u20AC\ud83d\uDE42")"), "A\u00e9\u20ac\U0001F642");
    EXPECT_EQ(text_of(R"("a\u0000b")"), std::string("a\0b", 3));
}

TEST(JsonReader, RefusesBrokenEscapes) {
    for (const auto* text : {R"("\x41")", R"("\u12")", R"("\u12G4")", R"("\)", R"("\u)"}) {
        EXPECT_THAT(read(text), HasSubstr("f:1:2: ")) << text;
    }
    for (const auto* text :
         {R"("\ud800")", R"("\ud800x")", R"("\udc00")", R"("\ud800\u0041")", R"("\ud83d\ud83d")"}) {
        EXPECT_THAT(read(text), HasSubstr("f:1:2: this \\u escape is half a character")) << text;
    }
}

TEST(JsonReader, RefusesWhatIsNotUtf8) {
    for (const std::string bad :
         {"\x80", "\xC0\xAF", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xE2\x82"}) {
        EXPECT_THAT(read("[\"é\",\n\"" + bad + "\"]"), HasSubstr("f:2:2: the bytes here are not UTF-8"));
        EXPECT_EQ(utf8_length(bad), 0U);
    }
    EXPECT_EQ(utf8_length(""), 0U);
    for (const std::string good : {"\x7F", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                   "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        EXPECT_EQ(utf8_length(good), good.size());
        std::string again;
        append_utf8(again, utf8_code(good));
        EXPECT_EQ(again, good);
    }
}

TEST(JsonReader, RefusesWhatIsNoJson) {
    const std::pair<std::string_view, std::string_view> kBroken[] = {
        {"", "f:1:1: expected a value, found the end of the file"},
        {"{", "f:1:2: expected a key in double quotes, found the end of the file; a { is still open"},
        {"[1", "f:1:3: expected \",\" or \"]\", found the end of the file; a bracket is still open"},
        {"[1,\n]", "f:1:3: there is a comma behind the last value; remove it"},
        {"{\"a\": 1,}", "f:1:8: there is a comma behind the last value; remove it"},
        {"[,1]", "f:1:2: expected a value, found \",\""},
        {"{a: 1}", "f:1:2: expected a key in double quotes, found \"a\""},
        {"{\"a\" 1}", "f:1:6: expected \":\" behind the key \"a\", found \"1\""},
        {"{\"a\": }", "f:1:7: expected a value, found \"}\""},
        {"['a']", "f:1:2: expected a value, found \"'\"; texts stand in double quotes"},
        {"[\"a]\n", "f:1:2: this text does not end on its line"},
        {"[\"a\tb\"]", "f:1:4: a control character cannot stand in a text"},
        {"[01]", "f:1:3: a number does not start with 0"},
        {"[1.]", "f:1:4: expected a digit, found \"]\""},
        {"[-]", "f:1:3: expected a digit"},
        {"[1e]", "f:1:4: expected a digit"},
        {"[.5]", "f:1:2: expected a value"},
        {"[+1]", "f:1:2: expected a value"},
        {"[NaN]", "f:1:2: expected a value, found \"N\""},
        {"[True]", "f:1:2: expected a value"},
        {"[truex]", "f:1:6: expected \",\""},
        {"[1] [2]", "f:1:5: expected the end of the file, found \"[\""},
        {"[1] /* x", "f:1:5: this comment does not end; end it with */"},
        {"[1] / 2", "f:1:5: expected a comment"},
        {"# x\n{}", "f:1:1: expected a value, found \"#\""},
        {"[\"\x1b\"]", "f:1:3: a control character"},
        {std::string_view("[\0]", 3), "f:1:2: expected a value, found \"\\u0000\""},
    };
    for (const auto& [text, message] : kBroken) EXPECT_THAT(read(text), HasSubstr(message)) << text;
}

TEST(JsonReader, DuplicateKeysAreFaults) {
    EXPECT_EQ(read("{\"a\": 1,\n \"b\": {\"a\": 1, \"a\": 1}, \"\\u0061\": 2}"),
              "f:2:16: the key \"a\" is here twice; the first is in line 2\n"
              "f:2:25: the key \"a\" is here twice; the first is in line 1");
}

TEST(JsonReader, HoldsItsBounds) {
    EXPECT_EQ(read("[[[[[[[[1]]]]]]]]"), "");
    EXPECT_THAT(read("[[[[[[[[[1]]]]]]]]]"), HasSubstr("f:1:9: nested more than 8 levels deep"));
    EXPECT_THAT(read(std::string(1001, ' ')), HasSubstr("f: the file has 1001 bytes, more than 1000"));
    std::string many = "[0";
    for (int i = 0; i < 48; ++i) many += ",0";
    EXPECT_EQ(read(many + "]"), "");
    EXPECT_THAT(read(many + ",0]"), HasSubstr("more than 50 values"));
}

TEST(Report, KeepsOnlySoManyAndSaysSo) {
    Report report("f");
    for (unsigned i = 1; i <= 10'000; ++i) report.error({i, 1}, "wrong");
    const auto errors = report.errors();
    ASSERT_EQ(errors.size(), kMaxDiagnostics);
    EXPECT_EQ(to_string(errors.back()),
              "f: there is more to say than is shown here; put this in order first");
    EXPECT_EQ(errors[errors.size() - 2].at.line, kMaxDiagnostics - 1);
}

TEST(Report, QuotesAreSafeToShow) {
    EXPECT_EQ(in_quotes("plain ä 🙂"), "\"plain ä 🙂\"");
    EXPECT_EQ(in_quotes("\x1b[31m\n"), "\"\\u001B[31m\\u000A\"");
    EXPECT_EQ(in_quotes("a\u202Eb\u009Bc\u2066"), "\"a\\u202Eb\\u009Bc\\u2066\"");
    EXPECT_EQ(in_quotes("\xFF"), "\"\uFFFD\"");
    EXPECT_EQ(in_quotes(std::string(100, 'x')), "\"" + std::string(80, 'x') + "…\"");
}

TEST(Report, SuggestsTheNearestWord) {
    const std::vector<std::string_view> words{"hosts", "except", "ports", "addresses"};
    EXPECT_EQ(nearest("host", words), "hosts");
    EXPECT_EQ(nearest("PORTS", words), "ports");
    EXPECT_EQ(nearest("adresses", words), "addresses");
    EXPECT_EQ(nearest("exepct", words), "except");
    EXPECT_EQ(nearest("quite-other", words), "");
    EXPECT_EQ(nearest(std::string(1000, 'a'), words), "");
    EXPECT_EQ(suggestion("hsots", words), "did you mean \"hosts\"?");
    EXPECT_EQ(suggestion("zzzz", words), "known here: hosts, except, ports, addresses");
}

}  // namespace
}  // namespace reeve::policy
