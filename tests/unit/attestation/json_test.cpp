#include "attestation/jose/json.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace reeve::attestation::jose {
namespace {

Fault fault_of(std::string_view text, std::size_t max = 8192) {
    auto parsed = parse_object(text, max);
    EXPECT_FALSE(parsed) << text;
    return parsed ? Fault::kArgument : parsed.error().fault;
}

TEST(StrictJson, ReadsAnObject) {
    auto parsed = parse_object(R"( {"a":{"a":1},"b":[{"a":1},{"a":2}]} )", 100);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->at("a").at("a"), 1);
}

TEST(StrictJson, RefusesAMemberNamedTwiceAtAnyDepth) {
    EXPECT_EQ(fault_of(R"({"a":1,"a":1})"), Fault::kMalformed);
    EXPECT_EQ(fault_of(R"({"a":1,"\u0061":2})"), Fault::kMalformed);
    EXPECT_EQ(fault_of(R"({"o":{"x":1,"y":[{"a":1,"b":2,"a":3}]}})"), Fault::kMalformed);
}

TEST(StrictJson, RefusesWhatAnotherReaderMayReadOtherwise) {
    for (std::string_view text : {"", "{", "[]", "1", "\"a\"", "null", "{} {}", "{}x", "{\"a\":1,}",
                                  "{'a':1}", "{\"a\":NaN}", "{\"a\":01}", "{\"a\":1e999}", "{\"a\":\"\xff\"}",
                                  "{\"a\":\"\n\"}", "/**/{}", "\xef\xbb\xbf{}", "{\"a\":\"\\ud800\"}"})
        EXPECT_EQ(fault_of(text), Fault::kMalformed) << text;
    EXPECT_EQ(fault_of(std::string_view("{}\0x", 4)), Fault::kMalformed);
}

TEST(StrictJson, IsBounded) {
    EXPECT_EQ(fault_of(R"({"a":"0123456789"})", 10), Fault::kTooLarge);
    std::string deep = R"({"a":)" + std::string(kMaxDepth, '[') + std::string(kMaxDepth, ']') + "}";
    EXPECT_EQ(fault_of(deep), Fault::kMalformed);
    std::string fits = R"({"a":)" + std::string(kMaxDepth - 1, '[') + std::string(kMaxDepth - 1, ']') + "}";
    EXPECT_TRUE(parse_object(fits, 8192));
    EXPECT_EQ(fault_of("{\"a\":" + std::string(8000, '['), 8192), Fault::kMalformed);
}

}  // namespace
}  // namespace reeve::attestation::jose
