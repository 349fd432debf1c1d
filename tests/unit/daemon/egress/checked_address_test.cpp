#include "daemon/egress/checked_address.hpp"

#include <algorithm>
#include <type_traits>

#include "daemon/egress/address_text.hpp"
#include "tests/unit/daemon/egress/support.hpp"

namespace reeve::egress {
namespace {

using policy::Verdict;

static_assert(!std::is_default_constructible_v<CheckedAddress>);
static_assert(!std::is_constructible_v<CheckedAddress, policy::Address, std::uint16_t>);

TEST(CheckedAddress, IsMadeOfWhatPolicyAllows) {
    const auto policy = policy_of({{Verdict::allow, {"api.example"}}, {Verdict::ask, {"asked.example"}}});
    struct Case {
        const char *host, *address;
        Consent consent;
        bool made;
    };
    const Case cases[] = {
        {"api.example", "192.88.98.7", Consent::none, true},
        {"api.example", "2606:4700::1", Consent::none, true},
        {"asked.example", "192.88.98.7", Consent::none, false},
        {"asked.example", "192.88.98.7", Consent::given, true},
        {"other.example", "192.88.98.7", Consent::given, false},
        // Rebinding: what the name leads to now is inside.
        {"api.example", "127.0.0.1", Consent::given, false},
        {"api.example", "169.254.169.254", Consent::given, false},
        {"api.example", "10.1.2.3", Consent::given, false},
        {"api.example", "::1", Consent::given, false},
        {"api.example", "64:ff9b::a9fe:a9fe", Consent::given, false},
        {"asked.example", "192.168.1.1", Consent::given, false},
        {"api.example", "192.88.98.9", Consent::given, false},  // this machine's own
    };
    const std::vector<policy::Address> own{address("192.88.98.9")};
    for (const Case& one : cases) {
        const auto result = check(policy, one.host, 443, address(one.address), own, one.consent);
        ASSERT_EQ(result.address.has_value(), one.made) << one.host << " " << one.address;
        if (!one.made) continue;
        EXPECT_EQ(to_text(result.address->address()), one.address);
        EXPECT_EQ(result.address->port(), 443);
    }
}

TEST(CheckedAddress, OwnAddressesAreThoseOfTheInterfaces) {
    const auto own = own_addresses();
    ASSERT_TRUE(own) << own.error().text();
    if (own->empty()) GTEST_SKIP() << "no interface is up here";
    for (const auto& one : *own) EXPECT_NE(one, policy::Address{});
}

}  // namespace
}  // namespace reeve::egress
