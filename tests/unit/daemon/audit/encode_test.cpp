#include "daemon/audit/encode.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/audit/chain.hpp"
#include "daemon/audit/text.hpp"
#include "tests/unit/daemon/audit/samples.hpp"

namespace reeve::audit {
namespace {

using nlohmann::json;

std::string encoded(const Record& record, std::uint64_t seq = 1) {
    Encoder encoder("boot", {});
    Buffer buffer;
    encoder.encode(record, seq, buffer);
    return std::string(buffer.text()) + "}";
}

// The line of FORMATS, member by member.
TEST(Encode, TheWholeRecord) {
    const test::Samples samples;
    EXPECT_EQ(
        encoded(samples.full(), 41872),
        R"({"schema":"reeve.audit/1","seq":41872,"timestamp":"2026-11-23T19:02:11.483920Z","monotonic_ns":81233920011,)"
        R"("boot_id":"boot","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","session":"01JD",)"
        R"("actor":{"user_id":"alice@example.com","uid":1000,"agent_id":"cowork","agent_sha256":"9f86","device_id":"d1",)"
        R"("device_posture":{"compliant":true,"edr":"healthy"},)"
        R"("process":{"pid":4711,"start_ns":99,"exe":"/usr/bin/node","parent":4702}},)"
        R"("action":"file.read","resource":"/home/alice/Documents/q3.xlsx","resource_type":"file","count":1,)"
        R"("outcome":"allowed","policy_evaluation":{"policy_id":"acme-desktop@12","rule":"acme-desktop/files/2",)"
        R"("decision":"ask","grant":"g_01JD","decided_by":"grant"},)"
        R"("credentials":{"type":"ephemeral","ttl_seconds":300},)"
        R"("model_metadata":{"model_id":"m","model_version":"1","prompt_hash":"sha256:00"},)"
        R"("details":{"flags":"O_RDONLY","bytes":-1,"size":18446744073709551615,"first":true}})");
}

TEST(Encode, AbsentMembersAreLeftOut) {
    EXPECT_EQ(
        encoded({.action = Action::kDaemonStart, .realtime_ns = 1, .monotonic_ns = 2}),
        R"({"schema":"reeve.audit/1","seq":1,"timestamp":"1970-01-01T00:00:00.000000Z","monotonic_ns":2,)"
        R"("boot_id":"boot","action":"daemon.start","count":1})");
    const ProcessContext process({.pid = 7});
    const SessionContext session({.session = "s", .uid = 5});
    EXPECT_EQ(json::parse(encoded({.process = &process}))["actor"], json::parse(R"({"process":{"pid":7}})"));
    EXPECT_EQ(json::parse(encoded({.session = &session}))["actor"], json::parse(R"({"uid":5})"));
    EXPECT_EQ(json::parse(encoded({.decision = Decision::kDeny}))["policy_evaluation"],
              json::parse(R"({"decision":"deny"})"));
}

// One line for each action, against a file that is only ever changed on purpose.
TEST(Encode, GoldenLinePerAction) {
    const test::Samples samples;
    Encoder encoder("b4a1", samples.facts());
    Chain chain;
    std::string text;
    std::uint64_t seq = 0;
    for (const Record& record : samples.each_action()) {
        Buffer buffer;
        encoder.encode(record, ++seq, buffer);
        text += std::string(buffer.text()) + ",\"chain\":\"" + hex(chain.add(buffer.text())) + "\"}\n";
    }
    EXPECT_EQ(seq, kActions);
    std::ostringstream golden;
    golden << std::ifstream(REEVE_GOLDEN).rdbuf();
    EXPECT_EQ(text, golden.str()) << text;
}

TEST(Encode, HostileNames) {
    const std::string names[] = {"/a\"b",
                                 "/a\\b",
                                 "/a\nb\r\t",
                                 "/\xff\xfe",
                                 "/\u2028",
                                 std::string("/\0x", 3),
                                 "/" + std::string(4096, '\x01'),
                                 "/" + std::string(4096, '\xff'),
                                 "\",\"chain\":\"",
                                 "/\xe2\x80\xaegpj.exe"};
    for (const std::string& name : names) {
        const ProcessContext process({.pid = 1, .exe = name});
        const SessionContext session({.session = name, .user_id = name, .policy_id = name});
        const Detail details[] = {{"name", std::string_view(name)}};
        const std::string line = encoded({.session = &session,
                                          .process = &process,
                                          .resource = name,
                                          .rule = name,
                                          .grant = name,
                                          .credential = Credential{.type = name},
                                          .details = details});
        EXPECT_EQ(line.find('\n'), std::string::npos);
        const json read = json::parse(line);
        const std::string resource = read.contains("resource_b64")
                                         ? from_base64(read["resource_b64"].get<std::string>())
                                         : read["resource"].get<std::string>();
        EXPECT_EQ(resource, name);
        const json& exe = read["actor"]["process"];
        EXPECT_EQ(exe.contains("exe_b64") ? from_base64(exe["exe_b64"].get<std::string>())
                                          : exe["exe"].get<std::string>(),
                  name);
        EXPECT_EQ(read["details"]["name"], read["resource"]);
        EXPECT_EQ(read["details"].contains("name_b64"), read.contains("resource_b64"));
        if (read.contains("resource_b64")) {
            EXPECT_EQ(read["details"]["name_b64"], read["resource_b64"]);
        }
    }
}

TEST(Encode, TimesRoundTrip) {
    for (const std::int64_t ns :
         {std::int64_t{0}, std::int64_t{1'795'460'531'483'920'000}, std::int64_t{-1'000},
          std::int64_t{951'782'400'000'000'000}, std::int64_t{4'107'542'399'999'999'000}}) {
        EXPECT_EQ(parse_timestamp(timestamp(ns)), ns) << timestamp(ns);
    }
    EXPECT_EQ(timestamp(1'795'460'531'483'920'999), "2026-11-23T19:02:11.483920Z");
    EXPECT_EQ(timestamp(-1), "1969-12-31T23:59:59.999999Z");
    EXPECT_FALSE(parse_timestamp("2026-13-23T19:02:11.483920Z"));
    EXPECT_FALSE(parse_timestamp("2026-11-23 19:02:11.483920Z"));
    EXPECT_FALSE(parse_timestamp(""));
}

TEST(Chain, GoldenValues) {
    // printf, head -c 32 /dev/zero and sha256sum give the same.
    Chain chain;
    EXPECT_EQ(hex(chain.value()), std::string(64, '0'));
    EXPECT_EQ(hex(chain.add("{\"seq\":1")),
              "9f186e4202fb2b3f60caaf20c0eab567a648a0bf63b6105e2794fa624c0dd11d");
    EXPECT_EQ(hex(chain.add("{\"seq\":2")),
              "e6f47db2c09e66d60452f3e06f0bdc9f70d48aa551205024382900b034e8b3f3");
    EXPECT_EQ(from_hex(hex(chain.value())), chain.value());
    EXPECT_FALSE(from_hex(std::string(64, 'A')));
    EXPECT_FALSE(from_hex("00"));
}

}  // namespace
}  // namespace reeve::audit
