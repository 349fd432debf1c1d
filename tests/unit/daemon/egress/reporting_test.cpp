#include "daemon/egress/reporting.hpp"

#include <optional>

#include "platform/linux/seqpacket.hpp"
#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::egress {
namespace {

using namespace test;

Report lookup(const std::string& host) {
    Report report;
    report.lookup = true;
    report.host = host;
    report.type = "A";
    return report;
}
Report connection(std::size_t size) {
    Report report;
    report.host = "a.example";
    report.reason = std::string(size, 'x');
    return report;
}

class ReportingTest : public testing::Test {
  protected:
    ReportingTest() {
        auto pair = platform::seqpacket_pair();
        daemon_ = std::move(pair->ours);
        be_patient(daemon_.get());
        loop_.on([&] {
            reporting_.emplace(
                loop_.loop(), std::move(pair->theirs),
                Reporting::Options{.window = std::chrono::milliseconds(5)},
                [this](bool room) { rooms_.push_back(room); }, [this] { ++overs_; });
            EXPECT_TRUE(reporting_->start());
        });
    }
    ~ReportingTest() override {
        loop_.on([this] { reporting_.reset(); });
    }
    void add(const std::vector<Report>& reports) {
        loop_.on([&] {
            for (const Report& report : reports) reporting_->add(report);
        });
    }
    std::string packet() {
        auto got = platform::receive_packet(daemon_.get());
        EXPECT_TRUE(got);
        return got ? got->bytes : std::string();
    }
    std::vector<Report> reports() { return parse_reports(packet()).value_or(std::vector<Report>{}); }

    LoopThread loop_;
    platform::Fd daemon_;
    std::optional<Reporting> reporting_;
    std::vector<bool> rooms_;
    int overs_ = 0;
};

TEST_F(ReportingTest, SeveralInAPacketInTheirOrder) {
    add({lookup("a.example"), connection(1), lookup("b.example")});
    const auto got = reports();
    ASSERT_EQ(got.size(), 3U);
    EXPECT_EQ(got[0].host, "a.example");
    EXPECT_EQ(got[2].host, "b.example");
}

TEST_F(ReportingTest, WhatDoesNotFitGoesInTheNext) {
    add(std::vector<Report>(50, connection(4000)));
    std::size_t count = 0;
    while (count < 50) count += reports().size();
    EXPECT_EQ(count, 50U);
}

TEST_F(ReportingTest, WhereNothingIsTakenThereIsNoRoomAndNothingIsLost) {
    std::size_t added = 0;
    while (loop_.on([&] { return reporting_->has_room(); })) {
        add({connection(4000)});
        ASSERT_LT(++added, 5000U);
    }
    EXPECT_EQ(rooms_, std::vector{false});
    add({lookup("late.example")});
    ++added;
    std::size_t count = 0;
    while (count < added) {
        const auto got = reports();
        ASSERT_FALSE(got.empty());
        count += got.size();
    }
    EXPECT_TRUE(loop_.until([&] { return rooms_ == std::vector({false, true}); }));
}

TEST_F(ReportingTest, TheEndIsSaidAndAllIsSent) {
    add({connection(1)});
    ::shutdown(daemon_.get(), SHUT_WR);
    EXPECT_TRUE(loop_.until([&] { return overs_ == 1; }));
    bool sent = false;
    loop_.on([&] { reporting_->finish([&] { sent = true; }); });
    EXPECT_EQ(reports().size(), 1U);
    EXPECT_EQ(packet(), kNoMore);
    EXPECT_TRUE(loop_.until([&] { return sent; }));
    EXPECT_EQ(overs_, 1);
}

TEST_F(ReportingTest, ADaemonThatIsGoneIsTheEndToo) {
    daemon_.reset();
    EXPECT_TRUE(loop_.until([&] { return overs_ == 1; }));
    add({connection(1)});
    bool sent = false;
    loop_.on([&] { reporting_->finish([&] { sent = true; }); });
    EXPECT_TRUE(loop_.until([&] { return sent; }));
}

}  // namespace
}  // namespace reeve::egress
