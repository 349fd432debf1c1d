#include "daemon/api/render_record.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

namespace reeve::api {
namespace {

class Render : public ::testing::Test {
  protected:
    void SetUp() override {
        ::setenv("TZ", "UTC", 1);
        ::tzset();
    }
};

TEST_F(Render, ARecordAsOneLine) {
    EXPECT_EQ(render_record(
                  R"({"schema":"reeve.audit/1","seq":1,"timestamp":"2026-11-23T19:02:11.483920Z",)"
                  R"("actor":{"uid":1000,"process":{"pid":4711,"exe":"/usr/bin/node"}},"action":"file.read",)"
                  R"("resource":"/home/alice/.ssh/id","count":3,"outcome":"denied",)"
                  R"("policy_evaluation":{"rule":"acme/files/4","decision":"deny"}})"),
              "2026-11-23 19:02:11.483  denied   file.read           /home/alice/.ssh/id  node[4711]  "
              "by acme/files/4  x3");
    EXPECT_EQ(render_record(R"({"schema":"reeve.audit/1","timestamp":"2026-11-23T19:02:11.483920Z",)"
                            R"("action":"audit.gap","count":1,"details":{"reason":"torn_line"}})"),
              "2026-11-23 19:02:11.483           audit.gap           torn_line");
    EXPECT_EQ(
        render_record(
            R"({"schema":"reeve.audit/1","seq":1,"timestamp":"2026-11-23T19:02:11.483920Z",)"
            R"("actor":{"uid":1000,"process":{"pid":4711,"exe":"/usr/bin/node"}},"action":"process.end",)"
            R"("resource":"/usr/bin/node","resource_type":"process","count":1})"),
        "2026-11-23 19:02:11.483           process.end         /usr/bin/node  node[4711]");
}

TEST_F(Render, WhatKeeperAndVeilReport) {
    const auto shown = [](const std::string& members) {
        const std::string line =
            render_record(R"({"schema":"reeve.audit/1","timestamp":"",)" + members + "}");
        return line.substr(line.find_first_not_of(' '));
    };
    EXPECT_EQ(shown(R"("action":"file.rename","resource":"/w/x","outcome":"denied",)"
                    R"("policy_evaluation":{"rule":"vendor/agent-settings","decision":"deny"},)"
                    R"("details":{"operation":"rename","target":"/w/.mcp.json"})"),
              "denied   file.rename         /w/x -> /w/.mcp.json  by vendor/agent-settings");
    EXPECT_EQ(
        shown(R"("action":"file.create","resource":"/w/d","outcome":"failed",)"
              R"("policy_evaluation":{"rule":"vendor/workspace","decision":"allow","decided_by":"policy"},)"
              R"("details":{"operation":"mkdir","errno":"EEXIST"})"),
        "failed   file.create         /w/d (mkdir)  by vendor/workspace  EEXIST");
    EXPECT_EQ(shown(R"("action":"file.read","resource":"/home/alice/.netrc","outcome":"denied",)"
                    R"("policy_evaluation":{"decision":"deny","decided_by":"default"},)"
                    R"("details":{"operation":"open","errno":"ENOENT"})"),
              "denied   file.read           /home/alice/.netrc  by default  ENOENT");
}

TEST_F(Render, NothingReachesTheTerminalThatItWouldObey) {
    const std::string line =
        render_record(R"({"schema":"reeve.audit/1","timestamp":"\u001b[2J","action":"file.read",)"
                      R"("resource":"/a\n\u001b[31m\u202egpj.exe\u0085"})");
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
    EXPECT_NE(line.find(R"(/a\n\x1b[31m\u{202e}gpj.exe\u{85})"), std::string::npos) << line;
    EXPECT_EQ(terminal_safe("caf\xc3\xa9 \xff\xc0\xaf \x7f"), "caf\xc3\xa9 \\xff\\xc0\\xaf \\x7f");
}

TEST_F(Render, WhatIsNoRecordIsShownEscaped) {
    EXPECT_EQ(render_record("garbage\x07"), "garbage\\x07");
    EXPECT_EQ(render_record("[1,2]"), "[1,2]");
    EXPECT_EQ(render_record(""), "");
    EXPECT_EQ(render_record(R"({"schema":"reeve.audit/1","actor":5,"details":[],"count":"x","resource":{}})"),
              std::string(23, ' ') + "  " + std::string(7, ' ') + "  " + std::string(18, ' '));
}

}  // namespace
}  // namespace reeve::api
