#include "daemon/audit/text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace reeve::audit {
namespace {

TEST(Text, EscapesWhatJsonAsksFor) {
    EXPECT_EQ(quoted("plain/path"), R"("plain/path")");
    EXPECT_EQ(quoted("a\"b\\c\nd\re\tf"), R"("a\"b\\c\nd\re\tf")");
    EXPECT_EQ(quoted(std::string_view("\0\x1f\x7f", 3)), "\"\\u0000\\u001f\x7f\"");
    EXPECT_EQ(quoted("\u2028\u00e9\U0001F600"), "\"\u2028\u00e9\U0001F600\"");
}

TEST(Text, EachBadByteBecomesOneReplacement) {
    const std::string bad = "\uFFFD";
    bool valid = true;
    char out[64];
    const auto escaped = [&](std::string_view bytes) {
        valid = true;
        return std::string(out, escape(bytes, out, &valid));
    };
    EXPECT_EQ(escaped("a\xff\xfe"
                      "b"),
              "a" + bad + bad + "b");
    EXPECT_FALSE(valid);
    EXPECT_EQ(escaped("\xc3"), bad);                                // cut off
    EXPECT_EQ(escaped("\xc0\xaf"), bad + bad);                      // over-long
    EXPECT_EQ(escaped("\xed\xa0\x80"), bad + bad + bad);            // surrogate
    EXPECT_EQ(escaped("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // above U+10FFFF
    EXPECT_EQ(escaped("\xe2\x82x"), bad + bad + "x");
    EXPECT_EQ(escaped("\u00e9"), "\u00e9");
    EXPECT_TRUE(valid);
}

// Any bytes at any place relative to the words of eight that escape() copies: what a JSON parser reads is
// what was written, and unescape() agrees with it.
TEST(Text, AParserReadsWhatWasWritten) {
    std::mt19937 random(1);
    const std::string_view pieces[] = {"a",      "\"",         "\\",   "\n",   "\x01",
                                       "\u00e9", "\U0001F600", "\x80", "\xc3", "/home/alice"};
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes;
        for (auto i = random() % 12; i > 0; --i) bytes += pieces[random() % std::size(pieces)];
        const std::string text = audit::quoted(bytes);
        const std::string read = nlohmann::json::parse(text).get<std::string>();
        EXPECT_EQ(unescape(std::string_view(text).substr(1, text.size() - 2)), read);
        bool valid = true;
        std::string out(escaped_bound(bytes.size()), '\0');
        escape(bytes, out.data(), &valid);
        if (valid) {
            EXPECT_EQ(read, bytes);
        }
        EXPECT_EQ(from_base64(base64(bytes)), bytes);
    }
}

TEST(Text, UnescapeReadsPairsAndLeavesNonsense) {
    EXPECT_EQ(unescape(R"(\u00e9\ud83d\ude00\/)"), "\u00e9\U0001F600/");
    EXPECT_EQ(unescape(R"(\ud83d)"), "\uFFFD");
    EXPECT_EQ(unescape(R"(\ud83d\u0041)"),
              "\uFFFD"
              "A");
    EXPECT_EQ(unescape(R"(\u12)"), R"(\u12)");
    EXPECT_EQ(unescape("\\"), "\\");
}

TEST(Text, Base64OfRfc4648) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(from_base64("Zm9vYg=="), "foob");
    EXPECT_EQ(from_base64("Zm9"), "");
    EXPECT_EQ(from_base64("Zm9*"), "");
}

}  // namespace
}  // namespace reeve::audit
