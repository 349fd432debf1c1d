#include "daemon/egress/names.hpp"

#include <set>

#include "daemon/egress/address_text.hpp"
#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

TEST(Names, GivesANameItsAddressesForGood) {
    Names names;
    const auto first = names.addresses_of("Api.Example.com.").value();
    EXPECT_EQ(to_text(first.four), "198.18.0.2");
    EXPECT_EQ(to_text(first.six), "fd72:6565:7665::c612:2");
    EXPECT_EQ(to_text(names.addresses_of("other.example").value().four), "198.18.0.3");
    const auto again = names.addresses_of("api.example.COM").value();
    EXPECT_EQ(again.four, first.four);
    EXPECT_EQ(again.six, first.six);
    EXPECT_EQ(names.name_of(first.four), "api.example.com");
    EXPECT_EQ(names.name_of(first.six), "api.example.com");
}

TEST(Names, KnowsNoNameOfOtherAddresses) {
    Names names;
    names.addresses_of("a.example");
    for (const char* text :
         {"198.18.0.0", "198.18.0.1", "198.18.0.3", "198.18.0.255", "198.19.255.255", "192.0.2.1",
          "fd72:6565:7665::c612:3", "fd72:6565:7665::1:c612:2", "fd72:6565:7665::1", "::1"})
        EXPECT_EQ(names.name_of(address(text)), "") << text;
    EXPECT_FALSE(names.addresses_of(""));
}

TEST(Names, KnowsItsRanges) {
    for (const char* text : {"198.18.0.0", "198.19.255.255", "fd72:6565:7665::1", "fd72:6565:7665:0:ffff::"})
        EXPECT_TRUE(Names::is_synthetic(address(text))) << text;
    for (const char* text : {"198.17.255.255", "198.20.0.0", "fd72:6565:7665:1::1", "fd72:6565:7666::1"})
        EXPECT_FALSE(Names::is_synthetic(address(text))) << text;
}

TEST(Names, EveryAddressIsGivenOnceAndThenThereAreNoMore) {
    Names names(1'000'000);
    std::set<std::array<std::uint8_t, 16>> given;
    std::size_t count = 0;
    while (const auto pair = names.addresses_of("n" + std::to_string(count) + ".example")) {
        ++count;
        given.insert(pair->four.bytes);
        given.insert(pair->six.bytes);
        ASSERT_TRUE(Names::is_synthetic(pair->four) && Names::is_synthetic(pair->six));
        const auto last = pair->four.bytes.back();
        ASSERT_TRUE(last != 0 && last != 255);
    }
    EXPECT_EQ(count, 512U * 254 - 1);
    EXPECT_EQ(given.size(), 2 * count);
    EXPECT_TRUE(names.addresses_of("N0.example"));
}

TEST(Names, OneThatBeginsWhereAnotherEndedKnowsNoneOfIts) {
    Names first(2), second(2, 2);
    const auto one = first.addresses_of("a.example"), two = first.addresses_of("b.example");
    const auto other = second.addresses_of("c.example");
    ASSERT_TRUE(one && two && other);
    for (const auto& given : {one, two}) {
        EXPECT_NE(given->four, other->four);
        EXPECT_EQ(second.name_of(given->four), "");
        EXPECT_EQ(second.name_of(given->six), "");
    }
    EXPECT_EQ(second.name_of(other->six), "c.example");
    EXPECT_EQ(first.name_of(other->four), "");
}

TEST(Names, HasABound) {
    Names names(1);
    EXPECT_TRUE(names.addresses_of("a.example"));
    EXPECT_FALSE(names.addresses_of("b.example"));
    EXPECT_TRUE(names.addresses_of("a.example"));
}

}  // namespace
}  // namespace reeve::egress
