#include "daemon/egress/lookup_reports.hpp"

#include <gtest/gtest.h>

namespace reeve::egress {
namespace {

Report lookup(const std::string& host, const std::string& type, Outcome outcome = Outcome::denied,
              const std::string& address = "NXDOMAIN") {
    Report report;
    report.lookup = true;
    report.host = host;
    report.type = type;
    report.outcome = outcome;
    report.address = address;
    return report;
}

std::vector<std::string> show(const std::vector<Report>& reports) {
    std::vector<std::string> lines;
    for (const auto& one : reports)
        lines.push_back(one.host + " " + one.type + " " + one.address + " " + std::to_string(one.count));
    return lines;
}

TEST(LookupReports, EqualOnesAreOneWithACount) {
    auto loop = platform::EventLoop::create().value();
    std::vector<Report> told;
    LookupReports reports(*loop, [&](Report report) { told.push_back(std::move(report)); });
    for (int i = 0; i < 3; ++i) reports.add(lookup("a.example", "A"));
    reports.add(lookup("a.example", "AAAA"));
    reports.add(lookup("a.example", "A", Outcome::failed, "SERVFAIL"));
    reports.add(lookup("a.example", "A"));
    EXPECT_TRUE(told.empty());
    reports.flush();
    EXPECT_EQ(show(told), (std::vector<std::string>{"a.example A NXDOMAIN 4", "a.example AAAA NXDOMAIN 1",
                                                    "a.example A SERVFAIL 1"}));
    reports.flush();
    EXPECT_EQ(told.size(), 3U);
    reports.add(lookup("a.example", "A"));
    reports.flush();
    EXPECT_EQ(told.back().count, 1U);
}

TEST(LookupReports, GoByThemselves) {
    auto loop = platform::EventLoop::create().value();
    std::vector<Report> told;
    LookupReports reports(*loop, [&](Report report) {
        told.push_back(std::move(report));
        loop->stop();
    });
    reports.add(lookup("a.example", "A"));
    reports.add(lookup("a.example", "A"));
    ASSERT_TRUE(loop->run());
    EXPECT_EQ(show(told), std::vector<std::string>{"a.example A NXDOMAIN 2"});
}

TEST(LookupReports, ManyGoEarlyAndNoneIsLost) {
    auto loop = platform::EventLoop::create().value();
    std::size_t told = 0;
    {
        LookupReports reports(*loop, [&](const Report&) { ++told; });
        for (int i = 0; i < 1500; ++i) reports.add(lookup(std::to_string(i), "A"));
        EXPECT_GE(told, 1024U);
    }
    EXPECT_EQ(told, 1500U);
}

}  // namespace
}  // namespace reeve::egress
