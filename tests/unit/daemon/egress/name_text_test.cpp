#include "daemon/egress/name_text.hpp"

#include <gtest/gtest.h>

namespace reeve::egress {
namespace {

TEST(NameText, TellsHostsFromWhatIsNone) {
    for (const char* name : {"a", "A-b_c.example", "xn--bcher-kva.example", "127.0.0.1"})
        EXPECT_TRUE(is_host_text(name)) << name;
    for (const char* name : {"", ".", "a.", ".a", "a..b", "a b", "a/b", "\u00fc.example"})
        EXPECT_FALSE(is_host_text(name)) << name;
    EXPECT_FALSE(is_host_text(std::string_view("a\0b", 3)));
    EXPECT_FALSE(is_host_text(std::string(64, 'a') + ".example"));
    EXPECT_TRUE(is_host_text(std::string(63, 'a') + ".example"));
}

TEST(NameText, KnowsWhatProgramsReadAsAddresses) {
    for (const char* name : {"10.0.0.1", "127.1", "1", "0x7f.1", "a.0x7F", "0x", "2130706433", "1.2.3.4."})
        EXPECT_TRUE(ends_in_number(name)) << name;
    for (const char* name : {"a1", "1.a", "0xg", "x.0x7fz", "example", ""})
        EXPECT_FALSE(ends_in_number(name)) << name;
}

TEST(NameText, KnowsWhoseANameIs) {
    EXPECT_EQ(registrable_domain("www.Example.co.uk."), "example.co.uk");
    EXPECT_EQ(registrable_domain("example.com"), "example.com");
    for (const char* name : {"co.uk", "com", "localhost", "192.0.2.1", "2001:db8::1", "a b.com", ""})
        EXPECT_EQ(registrable_domain(name), "") << name;
    EXPECT_TRUE(is_under("a.local", "local"));
    EXPECT_TRUE(is_under("local", "local"));
    EXPECT_FALSE(is_under("alocal", "local"));
}

}  // namespace
}  // namespace reeve::egress
