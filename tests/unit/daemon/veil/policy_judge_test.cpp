#include "daemon/veil/policy_judge.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "daemon/veil/table_file.hpp"
#include "platform/linux/memfd.hpp"
#include "policy/engine.hpp"

namespace reeve::veil {
namespace {

using platform::veil::Action;
using platform::veil::Ruling;

policy::Policy policy_of(const char* files, const std::string& mode = "enforce") {
    const auto text = R"({"schema": "reeve.policy/1", "id": "vendor", "mode": ")" + mode +
                      R"(", "files": [)" + files + "]}";
    auto document = policy::parse_document(text, "vendor.jsonc");
    return policy::compile({{policy::Authority::vendor, *document}}, {}, policy::kUnverified).value();
}

constexpr const char* kFiles = R"(
    {"id": "a", "allow": ["read"], "paths": ["/a/**"]}, {"id": "q", "ask": ["read"], "paths": ["/q"]},
    {"id": "h", "deny": ["read"], "paths": ["/h"], "hidden": true}, {"id": "c", "deny": ["read"], "paths": ["/c"], "canary": true})";

struct Kept {
    access::Report report;
    std::string path, rule, operation, target;
};

class PolicyJudgeTest : public testing::Test {
  protected:
    Askers askers_ = std::move(*Askers::create());
    policy::Policy policy_ = policy_of(kFiles);
    std::vector<Kept> kept_;
    bool taken_ = true;

    PolicyJudge judge(pid_t keeper = 0) {
        return PolicyJudge(policy_.table(), askers_, keeper, [&](const access::Report& r) {
            kept_.push_back({r, std::string(r.path), std::string(r.rule), std::string(r.operation),
                             std::string(r.target)});
            return taken_;
        });
    }
};

TEST_F(PolicyJudgeTest, DecidesAsTheTableDoes) {
    const auto judge = this->judge();
    EXPECT_TRUE(judge.decide("/a/b", Action::read).allowed());
    EXPECT_TRUE(judge.decide("/a/b", Action::list).allowed());
    EXPECT_EQ(judge.decide("/a/b", Action::write).verdict, Ruling::Verdict::deny);
    EXPECT_FALSE(judge.decide("/a/b", Action::write).by_rule);
    EXPECT_EQ(judge.decide("/q", Action::read).verdict, Ruling::Verdict::ask);
    EXPECT_EQ(judge.decide("/q", Action::read).rule, "q");
    EXPECT_TRUE(judge.decide("/h", Action::read).hidden);
    EXPECT_TRUE(judge.decide("/c", Action::read).canary);
    EXPECT_TRUE(judge.same_below("/a/x", "/a/y"));
    EXPECT_FALSE(judge.same_below("/a/x", "/x"));
}

TEST_F(PolicyJudgeTest, APolicyThatObservesAllowsAll) {
    policy_ = policy_of(kFiles, "observe");
    const auto judge = this->judge();
    for (const char* path : {"/a/b", "/h", "/c", "/none"})
        EXPECT_TRUE(judge.decide(path, Action::write).allowed());
    EXPECT_EQ(judge.decide("/h", Action::read).verdict, Ruling::Verdict::deny);
    EXPECT_EQ(judge.decide("/h", Action::read).rule, "h");
    EXPECT_FALSE(judge.decide("/h", Action::read).hidden);
    EXPECT_TRUE(judge.same_below("/a/x", "/x"));
}

TEST_F(PolicyJudgeTest, ReportsWhatWasTriedAndByWhom) {
    auto judge = this->judge();
    EXPECT_TRUE(judge.report({.thread = ::gettid(),
                              .action = Action::read,
                              .ruling = judge.decide("/c", Action::read),
                              .operation = "open",
                              .path = "/c",
                              .error = EACCES}));
    EXPECT_TRUE(judge.report({.thread = ::gettid(),
                              .action = Action::read,
                              .ruling = judge.decide("/c", Action::read),
                              .operation = "stat",
                              .path = "/c",
                              .touched = false}));
    ASSERT_EQ(kept_.size(), 2U);
    EXPECT_EQ(kept_[0].path, "/c");
    EXPECT_EQ(kept_[0].rule, "c");
    EXPECT_EQ(kept_[0].operation, "open");
    EXPECT_EQ(kept_[0].report.pid, ::getpid());
    EXPECT_EQ(kept_[0].report.error, EACCES);
    EXPECT_EQ(kept_[0].report.count, 1U);
    EXPECT_GT(kept_[0].report.monotonic_ns, 0U);
    EXPECT_TRUE(kept_[0].report.canary);
    EXPECT_FALSE(kept_[1].report.canary);  // a look is no touch
    taken_ = false;
    EXPECT_FALSE(judge.report({.thread = ::gettid(), .ruling = {}, .operation = "open", .path = "/x"}));
}

TEST_F(PolicyJudgeTest, TheKeeperReportsItself) {
    auto judge = this->judge(::getpid());
    EXPECT_TRUE(judge.report({.thread = ::gettid(), .ruling = {}, .operation = "open", .path = "/x"}));
    EXPECT_TRUE(kept_.empty());
    EXPECT_TRUE(judge.report({.thread = ::getppid(), .ruling = {}, .operation = "open", .path = "/x"}));
    EXPECT_EQ(kept_.size(), 1U);
}

TEST(TableFileTest, TakesASealedTableAndNothingElse) {
    const auto policy = policy_of(kFiles);
    const auto bytes = policy.table_bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    const auto sealed = platform::sealed_memfd("table", text);
    const auto file = TableFile::open(sealed->get());
    ASSERT_TRUE(file) << file.error().text();
    EXPECT_EQ(file->table().decide("/q", policy::FileAction::read).rule, "q");
    const auto open = platform::make_memfd("table");
    EXPECT_FALSE(TableFile::open(open->get()));
    EXPECT_FALSE(TableFile::open(platform::sealed_memfd("table", "nothing of the kind")->get()));
    EXPECT_FALSE(TableFile::open(platform::sealed_memfd("table", "")->get()));
}

}  // namespace
}  // namespace reeve::veil
