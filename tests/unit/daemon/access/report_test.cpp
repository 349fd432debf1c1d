// Reports as bytes: what goes in comes out, equal ones add up, and nothing else is taken for a report.
#include "daemon/access/report.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "platform/linux/seqpacket.hpp"

namespace reeve::access {
namespace {

Report denied_rename() {
    return {.pid = 4711,
            .start_ns = 81'230'000'000,
            .parent = 4702,
            .exe = "/usr/bin/git",
            .action = policy::FileAction::rename,
            .verdict = policy::Verdict::deny,
            .by_rule = true,
            .decided = true,
            .directory = true,
            .canary = true,
            .error = EACCES,
            .count = 3,
            .monotonic_ns = 81'233'920'011,
            .operation = "rename",
            .path = "/home/alice/x/.mcp.new",
            .target = "/home/alice/x/.mcp.json",
            .rule = "vendor/agent-settings"};
}

void expect_equal(const Report& a, const Report& b) {
    EXPECT_EQ(a.pid, b.pid);
    EXPECT_EQ(a.start_ns, b.start_ns);
    EXPECT_EQ(a.parent, b.parent);
    EXPECT_EQ(a.exe, b.exe);
    EXPECT_EQ(a.action, b.action);
    EXPECT_EQ(a.verdict, b.verdict);
    EXPECT_EQ(a.by_rule, b.by_rule);
    EXPECT_EQ(a.decided, b.decided);
    EXPECT_EQ(a.directory, b.directory);
    EXPECT_EQ(a.canary, b.canary);
    EXPECT_EQ(a.error, b.error);
    EXPECT_EQ(a.count, b.count);
    EXPECT_EQ(a.monotonic_ns, b.monotonic_ns);
    EXPECT_EQ(a.operation, b.operation);
    EXPECT_EQ(a.path, b.path);
    EXPECT_EQ(a.target, b.target);
    EXPECT_EQ(a.rule, b.rule);
}

TEST(Reports, ComeOutAsTheyWentIn) {
    Report plain{.pid = 7, .verdict = policy::Verdict::allow, .decided = false, .path = "/tmp/a\0b\xff\n"};
    plain.path = std::string_view("/tmp/a\0b\xff\n", 10);
    Packet packet;
    EXPECT_TRUE(packet.empty());
    ASSERT_TRUE(packet.append(denied_rename()));
    ASSERT_TRUE(packet.append(plain));
    const auto reports = parse_reports(packet.bytes());
    ASSERT_TRUE(reports) << reports.error().text();
    ASSERT_EQ(reports->size(), 2U);
    expect_equal((*reports)[0], denied_rename());
    expect_equal((*reports)[1], plain);
}

TEST(Reports, AnEmptyPacketHasNone) {
    const auto reports = parse_reports("");
    ASSERT_TRUE(reports);
    EXPECT_TRUE(reports->empty());
    EXPECT_FALSE(parse_reports(kNoMore));
}

TEST(Reports, TextsAreCutToTheBoundAndOneReportAlwaysFits) {
    const std::string text(kMostText + 5, 'x');
    Report longest{.exe = text, .operation = text, .path = text, .target = text, .rule = text};
    Packet packet;
    ASSERT_TRUE(packet.append(longest));
    const auto reports = parse_reports(packet.bytes());
    ASSERT_TRUE(reports) << reports.error().text();
    EXPECT_EQ(reports->front().path, std::string(kMostText, 'x'));
}

TEST(Reports, AFullPacketTakesNothingAndStaysWhole) {
    Packet packet;
    std::size_t count = 0;
    while (packet.append(denied_rename())) ++count;
    EXPECT_LE(packet.bytes().size(), platform::kMaxPacket);
    EXPECT_GT(count, 300U);
    const auto reports = parse_reports(packet.bytes());
    ASSERT_TRUE(reports);
    EXPECT_EQ(reports->size(), count);
}

TEST(Reports, RepeatsAddTheirCountsAndKeepTheFirstTime) {
    Packet packet;
    ASSERT_TRUE(packet.append(Report{.pid = 1, .path = "/first"}));
    const std::size_t at = packet.bytes().size();
    ASSERT_TRUE(packet.append(denied_rename()));
    Report again = denied_rename();
    again.count = 39;
    again.monotonic_ns += 5;
    EXPECT_TRUE(packet.repeat(at, again));
    EXPECT_FALSE(packet.repeat(0, again));
    const auto reports = parse_reports(packet.bytes());
    ASSERT_TRUE(reports);
    ASSERT_EQ(reports->size(), 2U);
    EXPECT_EQ((*reports)[1].count, 42U);
    EXPECT_EQ((*reports)[1].monotonic_ns, denied_rename().monotonic_ns);
}

TEST(Reports, WhatDiffersInAnythingIsNoRepeat) {
    Packet packet;
    ASSERT_TRUE(packet.append(denied_rename()));
    const auto differs = [&](auto change) {
        Report other = denied_rename();
        change(other);
        return !packet.repeat(0, other);
    };
    EXPECT_TRUE(differs([](Report& r) { ++r.pid; }));
    EXPECT_TRUE(differs([](Report& r) { ++r.start_ns; }));
    EXPECT_TRUE(differs([](Report& r) { r.exe = "/usr/bin/gid"; }));
    EXPECT_TRUE(differs([](Report& r) { r.action = policy::FileAction::link; }));
    EXPECT_TRUE(differs([](Report& r) { r.verdict = policy::Verdict::ask; }));
    EXPECT_TRUE(differs([](Report& r) { r.by_rule = false; }));
    EXPECT_TRUE(differs([](Report& r) { r.canary = false; }));
    EXPECT_TRUE(differs([](Report& r) { r.error = EXDEV; }));
    EXPECT_TRUE(differs([](Report& r) { r.operation = "rename2"; }));
    EXPECT_TRUE(differs([](Report& r) { r.path = "/home/alice/x/.mcp.nev"; }));
    EXPECT_TRUE(differs([](Report& r) { r.path.remove_suffix(1); }));
    EXPECT_TRUE(differs([](Report& r) { r.target = ""; }));
    EXPECT_TRUE(differs([](Report& r) { r.rule = "vendor/agent-settingz"; }));
    EXPECT_FALSE(differs([](Report&) {}));
}

// A packet that is cut anywhere but between two reports is an error, as is any with more behind it.
TEST(Reports, WhatIsCutIsAnError) {
    Packet packet;
    ASSERT_TRUE(packet.append(denied_rename()));
    const std::string bytes(packet.bytes());
    for (std::size_t size = 1; size < bytes.size(); ++size)
        EXPECT_FALSE(parse_reports(std::string_view(bytes).substr(0, size))) << size;
    EXPECT_FALSE(parse_reports(bytes + '\0'));
    EXPECT_TRUE(parse_reports(bytes + bytes));
}

// Byte by byte: either a report that a Packet could have made, or an error.
TEST(Reports, ValuesThatNoReportHasAreErrors) {
    Packet packet;
    ASSERT_TRUE(packet.append(denied_rename()));
    std::size_t refused = 0;
    for (std::size_t at = 0; at < packet.bytes().size(); ++at) {
        std::string bytes(packet.bytes());
        bytes[at] = static_cast<char>(0xff);
        const auto reports = parse_reports(bytes);
        if (!reports) {
            ++refused;
            continue;
        }
        Packet again;
        for (const Report& report : *reports) ASSERT_TRUE(again.append(report));
        EXPECT_EQ(again.bytes(), bytes) << at;
    }
    // Action, verdict, flags, reserved, padding, and the lengths.
    EXPECT_GE(refused, 4U + 4U + 15U);
}

TEST(Reports, NoneCountsForNothing) {
    Packet packet;
    Report nothing = denied_rename();
    nothing.count = 0;
    ASSERT_TRUE(packet.append(nothing));
    EXPECT_FALSE(parse_reports(packet.bytes()));
}

}  // namespace
}  // namespace reeve::access
