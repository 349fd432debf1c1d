// Reports of reeve-egress: what travels, and what becomes of them in the log.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/egress/report.hpp"
#include "tests/unit/daemon/audit/keeping_sink.hpp"

namespace reeve::audit {
namespace {

using egress::Report;
using nlohmann::json;
using policy::Verdict;

Report connection() {
    Report report;
    report.outcome = egress::Outcome::allowed;
    report.verdict = Verdict::allow;
    report.by_rule = true;
    report.rule = "vendor/known-hosts";
    report.host = "api.example.com";
    report.port = 443;
    report.address = "203.0.113.7";
    report.protocol = "tls";
    report.sni = "api.example.com";
    report.alpn = "h2";
    report.pid = 0x7fff'fff0;
    report.start_ns = 81'230'000'000;
    report.exe = "/usr/bin/curl";
    report.bytes_up = 517;
    report.bytes_down = 1ULL << 40;
    report.duration_ns = 3'000'000;
    report.ended = "closed";
    return report;
}

Report denied_lookup() {
    Report report;
    report.lookup = true;
    report.host = "evil.example";
    report.type = "A";
    report.address = "NXDOMAIN";
    report.reason = "no rule allows it";
    report.count = 5;
    return report;
}

class NetworkReports : public ::testing::Test {
  protected:
    std::vector<json> records(const std::string& packet) {
        auto reports = egress::parse_reports(packet);
        EXPECT_TRUE(reports) << reports.error().text();
        pipeline_.take(session_, std::move(*reports));
        EXPECT_TRUE(session_->counts.exact());
        EXPECT_TRUE(pipeline_.flush(Pipeline::Flush::kAll));
        EXPECT_TRUE(session_->counts.exact());
        EXPECT_EQ(sink_.accesses(), session_->counts.recorded + session_->counts.coalesced);
        return sink_.records();
    }
    test::KeepingSink sink_;
    std::shared_ptr<WatchedSession> session_ =
        std::make_shared<WatchedSession>(std::make_shared<const SessionContext>(SessionFacts{}));
    Pipeline pipeline_{sink_};
};

TEST_F(NetworkReports, AConnectionSaysAllThatIsKnownOfIt) {
    const json made = records(egress::encode(connection())).at(0);
    EXPECT_EQ(made["action"], "network.connect");
    EXPECT_EQ(made["resource"], "api.example.com:443");
    EXPECT_EQ(made["resource_type"], "host");
    EXPECT_EQ(made["outcome"], "allowed");
    EXPECT_EQ(made["policy_evaluation"]["rule"], "vendor/known-hosts");
    EXPECT_EQ(made["actor"]["process"],
              json::parse(R"({"pid":2147483632,"start_ns":81230000000,"exe":"/usr/bin/curl"})"));
    EXPECT_EQ(
        made["details"],
        json::parse(R"({"address":"203.0.113.7","protocol":"tls","sni":"api.example.com","alpn":"h2",)"
                    R"("ended":"closed","bytes_up":517,"bytes_down":1099511627776,"duration_ns":3000000})"));
}

TEST_F(NetworkReports, ALookupHasACountAndNoProcess) {
    const auto made = records(egress::encode(denied_lookup()) + egress::encode(connection()));
    ASSERT_EQ(made.size(), 2U);
    EXPECT_EQ(made[0]["action"], "network.dns");
    EXPECT_EQ(made[0]["resource"], "evil.example");
    EXPECT_EQ(made[0]["count"], 5);
    EXPECT_EQ(made[0]["outcome"], "denied");
    EXPECT_EQ(made[0]["policy_evaluation"]["decided_by"], "default");
    EXPECT_EQ(made[0]["details"],
              json::parse(R"({"type":"A","answer":"NXDOMAIN","reason":"no rule allows it"})"));
    EXPECT_FALSE(made[0].contains("actor"));
    EXPECT_EQ(session_->denials.since(0).size(), 1U);
}

TEST_F(NetworkReports, AnAddressOfVersionSixStandsInBrackets) {
    Report report = connection();
    report.host = "2001:db8::1";
    EXPECT_EQ(records(egress::encode(report)).at(0)["resource"], "[2001:db8::1]:443");
}

TEST(ReportsOfEgress, NothingElseIsTaken) {
    const std::string good = egress::encode(connection());
    EXPECT_TRUE(egress::parse_reports(good + good));
    EXPECT_FALSE(egress::parse_reports(""));
    EXPECT_FALSE(egress::parse_reports(egress::kNoMore));
    EXPECT_FALSE(egress::parse_reports(good + "x"));
    for (std::size_t size = 0; size < good.size(); ++size)
        EXPECT_FALSE(egress::parse_reports(good.substr(0, size))) << size;
    for (const std::size_t at : {5U, 6U}) {  // outcome and verdict, behind the length and `lookup`
        std::string wrong = good;
        wrong[at] = 3;
        EXPECT_FALSE(egress::parse_reports(wrong)) << at;
    }
    Report nobody = connection();
    nobody.count = 0;
    EXPECT_FALSE(egress::parse_reports(egress::encode(nobody)));
}

TEST(ReportsOfEgress, LongTextsAreCut) {
    Report report = connection();
    report.sni = std::string(100'000, 'a');
    const auto parsed = egress::parse_reports(egress::encode(report));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->at(0).sni.size(), egress::kMostText);
}

}  // namespace
}  // namespace reeve::audit
