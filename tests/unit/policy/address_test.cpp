// Addresses as text, and their classes.
#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "policy/network.hpp"

namespace reeve::policy {
namespace {

// What the C library reads, in the form of ours.
std::optional<Address> by_inet_pton(const std::string& text) {
    Address address;
    if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
    in_addr four{};
    if (inet_pton(AF_INET, text.c_str(), &four) != 1) return std::nullopt;
    address = {};
    address.bytes[10] = address.bytes[11] = 0xFF;
    std::memcpy(&address.bytes[12], &four, 4);
    return address;
}

std::string classes(std::string_view text, const std::vector<Address>& own = {}) {
    static constexpr std::string_view kNames[] = {"public",     "private",  "loopback",
                                                  "link-local", "metadata", "own"};
    const unsigned bits = classes_of(parse_address(text).value(), own);
    std::string names;
    for (unsigned i = 0; i < std::size(kNames); ++i) {
        if ((bits & (1U << i)) != 0) names += (names.empty() ? "" : " ") + std::string(kNames[i]);
    }
    return names;
}

TEST(Address, ReadsExactForms) {
    for (const std::string text :
         {"0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "::1", "1::", "1:2:3:4:5:6:7:8", "1::8",
          "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4",
          "ABCD:ef01::", "64:ff9b::1.2.3.4"}) {
        ASSERT_TRUE(parse_address(text)) << text;
        EXPECT_EQ(parse_address(text), by_inet_pton(text)) << text;
    }
}

TEST(Address, RefusesLooseForms) {
    for (const std::string text : {"",
                                   "1",
                                   "127.1",
                                   "1.2.3",
                                   "1.2.3.4.5",
                                   "01.2.3.4",
                                   "1.2.3.04",
                                   "256.1.1.1",
                                   "1.2.3.256",
                                   "0x7f.0.0.1",
                                   "1.2.3.4 ",
                                   " 1.2.3.4",
                                   "1.2.3.",
                                   ".1.2.3",
                                   "1..2.3",
                                   "2130706433",
                                   "1.2.3.4/8",
                                   "::1%lo",
                                   "[::1]",
                                   ":",
                                   ":::",
                                   "1:2",
                                   "1:::2",
                                   "1::2::3",
                                   "1:2:3:4:5:6:7:8:9",
                                   "1:2:3:4:5:6:7:8::",
                                   "::1:2:3:4:5:6:7:8",
                                   "12345::",
                                   "g::",
                                   ":1::",
                                   "::1:",
                                   "1:2:3:4:5:6:7:1.2.3.4",
                                   "1.2.3.4::",
                                   "::1.2.3",
                                   "::01.2.3.4",
                                   "+1.2.3.4"}) {
        EXPECT_FALSE(parse_address(text)) << text;
    }
    EXPECT_FALSE(parse_address(std::string("1.2.3.4\0", 8)));
}

TEST(Address, AgreesWithTheCLibrary) {
    std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same texts each time
    static constexpr std::string_view kLetters = "0123456789abcdF:::::....";
    for (int i = 0; i < 300'000; ++i) {
        std::string text;
        for (auto left = random() % 18; left > 0; --left) text += kLetters[random() % kLetters.size()];
        ASSERT_EQ(parse_address(text), by_inet_pton(text)) << text;
    }
}

TEST(Address, Classes) {
    const std::pair<std::string_view, std::string_view> kClasses[] = {
        {"93.184.216.34", "public"},
        {"2606:2800:220:1::1", "public"},
        {"2001:4860:4860::8888", "public"},
        {"10.255.255.255", "private"},
        {"172.16.0.1", "private"},
        {"172.31.255.255", "private"},
        {"172.32.0.1", "public"},
        {"192.168.0.1", "private"},
        {"100.64.0.1", "private"},
        {"100.128.0.1", "public"},
        {"fc00::1", "private"},
        {"fdff::1", "private"},
        {"fec0::1", "private"},
        {"127.255.0.1", "loopback"},
        {"::1", "loopback"},
        {"169.254.0.1", "link-local"},
        {"fe80::1", "link-local"},
        {"febf::1", "link-local"},
        {"169.254.169.254", "link-local metadata"},
        {"169.254.170.2", "link-local metadata"},
        {"100.100.100.200", "private metadata"},
        {"168.63.129.16", "metadata"},
        {"fd00:ec2::254", "private metadata"},
        {"0.0.0.0", ""},
        {"0.1.2.3", ""},
        {"192.0.2.1", ""},
        {"198.19.0.1", ""},
        {"198.51.100.1", ""},
        {"203.0.113.1", ""},
        {"224.0.0.1", ""},
        {"239.255.255.255", ""},
        {"240.0.0.1", ""},
        {"255.255.255.255", ""},
        {"::", ""},
        {"ff02::1", ""},
        {"2001:db8::1", ""},
        {"2001::1", ""},
        {"3fff::1", ""},
        {"100::1", ""},
        {"4000::1", ""},
        {"64:ff9b:1::1", ""},
        // IPv4 in disguise.
        {"::ffff:127.0.0.1", "loopback"},
        {"::ffff:93.184.216.34", "public"},
        {"::127.0.0.1", "loopback"},
        {"::0.0.0.2", ""},
        {"64:ff9b::169.254.169.254", "link-local metadata"},
        {"64:ff9b::93.184.216.34", "public"},
        {"2002:7f00:1::1", "loopback"},
        {"2002:c0a8:101::", "private"},
        {"2002:5db8:d822::1", "public"},
    };
    for (const auto& [text, expected] : kClasses) EXPECT_EQ(classes(text), expected) << text;
}

TEST(Address, OwnAddressesAreNotPublic) {
    const std::vector<Address> own{parse_address("93.184.216.34").value(), parse_address("10.0.0.7").value(),
                                   parse_address("2606::1").value()};
    EXPECT_EQ(classes("93.184.216.34", own), "own");
    EXPECT_EQ(classes("64:ff9b::93.184.216.34", own), "own");
    EXPECT_EQ(classes("10.0.0.7", own), "private own");
    EXPECT_EQ(classes("2606::1", own), "own");
    EXPECT_EQ(classes("2606::2", own), "public");
}

}  // namespace
}  // namespace reeve::policy
