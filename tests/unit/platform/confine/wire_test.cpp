#include "platform/linux/confine/wire.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include "platform/linux/confine/link.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::platform::confine {
namespace {

Plan full_plan() {
    Plan plan;
    plan.session = "01JD";
    plan.person = {.uid = 1000, .gid = 1000, .groups = {1000, 27}, .name = "alice"};
    plan.zones = {
        {.path = "/usr", .device = 1ULL << 40, .inode = 7, .executable = true, .log = kLogExecutions}};
    plan.private_directories = {{.path = "/tmp", .size = 5, .of_person = false, .mode = 01777}};
    plan.masks = {"/usr/a"};
    plan.links = {{"/bin", "usr/bin"}};
    plan.working_directory = "/tmp";
    plan.command = {"sh", "-c", std::string("a\0b", 3)};
    plan.environment = {"A=b"};
    plan.terminal = {.standard_input = true, .rows = 1, .columns = 65535};
    plan.limits = {.memory = ~0ULL, .processes = 3};
    plan.required_landlock = -1;
    plan.report_steps = true;
    plan.without = {"x"};
    return plan;
}

TEST(PlanWire, ComesBackAsItWas) {
    const std::string bytes = full_plan().encode();
    auto plan = Plan::decode(bytes);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->encode(), bytes);
    EXPECT_EQ(plan->command[2].size(), 3u);
    EXPECT_EQ(plan->terminal.columns, 65535);
    EXPECT_EQ(plan->zones[0].device, 1ULL << 40);
}

TEST(PlanWire, RefusesEveryCutAndSurvivesEveryFlippedByte) {
    const std::string bytes = full_plan().encode();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        EXPECT_FALSE(Plan::decode(std::string_view(bytes).substr(0, i))) << i;
        for (const char flip : {'\x01', '\x80', '\xff'}) {
            std::string changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            (void)Plan::decode(changed);
        }
    }
    EXPECT_FALSE(Plan::decode(bytes + "x"));
}

TEST(Link, RefusesNonsenseAndTellsTheEnd) {
    auto pair = seqpacket_pair();
    ASSERT_TRUE(pair);
    Link link(std::move(pair->ours));
    auto nothing = link.receive();
    ASSERT_TRUE(nothing);
    EXPECT_FALSE(*nothing);
    for (const std::string& nonsense :
         {std::string(1, '\0'), std::string("\x7f"), std::string("\x01"), std::string("\x03"),
          std::string("\x06\x01"), std::string(3000, '\x02')}) {
        ASSERT_TRUE(send_packet(pair->theirs.get(), nonsense));
        EXPECT_FALSE(link.receive()) << nonsense.size();
    }
    // Mounted without its descriptor.
    ASSERT_TRUE(
        send_packet(pair->theirs.get(), wire::packet(wire::Kind::kMounted, std::string("/tmp"), false)));
    EXPECT_FALSE(link.receive());
    ASSERT_TRUE(send_packet(pair->theirs.get(), wire::packet(wire::Kind::kExited, 256)));
    auto exited = link.receive();
    ASSERT_TRUE(exited && *exited);
    EXPECT_EQ(std::get<Exited>(**exited).status, 256);
    pair->theirs.reset();
    for (int i = 0; i < 2; ++i) {
        auto closed = link.receive();
        ASSERT_TRUE(closed && *closed);
        EXPECT_TRUE(std::holds_alternative<Closed>(**closed));
    }
}

}  // namespace
}  // namespace reeve::platform::confine
