#include "daemon/api/message.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "daemon/api/connection.hpp"

namespace reeve::api {
namespace {

using testing::HasSubstr;

TEST(ParseMessage, TakesOneObject) {
    const auto body = parse_message(R"({"call":"ps"})");
    ASSERT_TRUE(body);
    EXPECT_EQ((*body)["call"], "ps");
}

TEST(ParseMessage, RefusesWhatIsNoPlainObject) {
    std::string deep = R"({"a":)";
    for (int i = 0; i < 20; ++i) deep += '[';
    for (int i = 0; i < 20; ++i) deep += ']';
    deep += '}';
    for (const std::string& bytes :
         {std::string(""), std::string("[]"), std::string("{"), std::string(R"({"a":1}{"b":2})"),
          std::string(R"({"a":1,"a":2})"), std::string("{\"a\":\"\xff\"}"), std::string(R"({"a":/* */1})"),
          std::string(R"({"a":1,})"), deep, std::string(kMaxMessage + 1, ' ')})
        EXPECT_FALSE(parse_message(bytes)) << bytes.substr(0, 40);
}

TEST(Messages, TravelWithTheirDescriptors) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    const int own[] = {pair->ours.get()};
    ASSERT_TRUE(send_message(pair->ours.get(), {{"call", "x"}}, own));
    auto message = receive_message(pair->theirs.get());
    ASSERT_TRUE(message && *message);
    EXPECT_EQ((*message)->body["call"], "x");
    EXPECT_EQ((*message)->fds.size(), 1U);
}

TEST(Messages, MoreDescriptorsThanAreTakenAreClosedAndAnError) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    const std::vector<int> many(kMaxFds + 1, pair->ours.get());
    ASSERT_TRUE(send_message(pair->ours.get(), {{"call", "x"}}, many));
    const auto message = receive_message(pair->theirs.get());
    ASSERT_FALSE(message);
    EXPECT_THAT(message.error().text(), HasSubstr("17 descriptors"));
}

TEST(Messages, TooLongIsAnErrorAndNothingIsSent) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    const auto sent = send_message(pair->ours.get(), {{"call", std::string(kMaxMessage, 'x')}});
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().code, EMSGSIZE);
    const auto nothing = receive_message(pair->theirs.get(), MSG_DONTWAIT);
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, EAGAIN);
}

TEST(Messages, AClosedPeerIsTheEndAndNoError) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    pair->ours.reset();
    const auto message = receive_message(pair->theirs.get());
    ASSERT_TRUE(message);
    EXPECT_FALSE(*message);
    EXPECT_FALSE(send_message(pair->theirs.get(), {{"call", "x"}}));
}

TEST(Messages, BytesThatAreNoUtf8AreShownAsSuch) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    ASSERT_TRUE(send_message(pair->ours.get(), {{"path", "/a\xff"}}));
    auto message = receive_message(pair->theirs.get());
    ASSERT_TRUE(message && *message);
    EXPECT_EQ((*message)->body["path"], "/a\xEF\xBF\xBD");
}

TEST(Failure, ComesBackAsItWas) {
    const platform::Error error{.tried = "t", .on = "o", .why = "w", .todo = "d", .code = 13};
    const auto back = failure_of(failure(error));
    EXPECT_EQ(back.text(), error.text());
    EXPECT_EQ(back.code, 13);
    // Whatever a peer sends, it can be said.
    for (const char* odd : {R"({})", R"({"error":1})", R"({"error":{"tried":1,"code":"x"}})"})
        EXPECT_FALSE(failure_of(Json::parse(odd)).text().empty());
}

TEST(Members, NamesTheFirstThatIsWrong) {
    const Json body = Json::parse(R"({"n":70000,"s":1,"list":["a",2],"b":"yes","nul":"a\u0000b"})");
    const auto why = [&](auto&& read) {
        Members members(body, "the call x");
        for (const char* name : {"n", "s", "list", "b", "nul"}) members.any(name);
        read(members);
        const auto status = members.finish();
        return status ? std::string() : status.error().text();
    };
    EXPECT_THAT(why([](Members& m) { m.integer("n", 0, 0, 65535); }),
                HasSubstr("\"n\" is not an integer from 0 to 65535"));
    EXPECT_THAT(why([](Members& m) { m.string("s"); }), HasSubstr("\"s\" is not a string"));
    EXPECT_THAT(why([](Members& m) { m.strings("list"); }), HasSubstr("\"list\" is not a list"));
    EXPECT_THAT(why([](Members& m) { m.boolean("b"); }), HasSubstr("\"b\" is not true or false"));
    EXPECT_THAT(why([](Members& m) { m.string("nul"); }), HasSubstr("\"nul\" is not a string without NUL"));
    EXPECT_THAT(why([](Members& m) { m.required_string("missing"); }), HasSubstr("\"missing\" is not"));
}

TEST(Members, AMisspeltOneIsAnError) {
    const Json body{{"sesion", "x"}};
    Members members(body, "the call log");
    members.string("session");
    const auto status = members.finish();
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().text(), HasSubstr("no member \"sesion\""));
}

TEST(Connection, SaysWhatToDoWhereNoDaemonListens) {
    const auto socket = connect_daemon("/nonexistent/reeve.sock");
    ASSERT_FALSE(socket);
    EXPECT_THAT(socket.error().text(), HasSubstr("systemctl start reeved"));
    EXPECT_FALSE(connect_daemon(std::string(200, 'x')));
}

TEST(Call, EventsThenDone) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    ASSERT_TRUE(send_message(pair->theirs.get(), {{"event", "one"}}));
    ASSERT_TRUE(send_message(pair->theirs.get(), done({{"n", 1}})));
    int events = 0;
    const auto answer = call(pair->ours.get(), {{"call", "x"}}, [&](const Json&) { return ++events > 0; });
    ASSERT_TRUE(answer);
    EXPECT_EQ((*answer)["n"], 1);
    EXPECT_EQ(events, 1);
}

TEST(Call, TellsARefusalFromALostDaemon) {
    auto pair = platform::seqpacket_pair();
    ASSERT_TRUE(pair);
    ASSERT_TRUE(send_message(pair->theirs.get(), failure({.tried = "t", .on = "", .why = "w", .todo = ""})));
    const auto refused = call(pair->ours.get(), {{"call", "x"}});
    ASSERT_FALSE(refused);
    EXPECT_FALSE(refused.error().lost);
    pair->theirs.reset();
    const auto lost = call(pair->ours.get(), {{"call", "x"}});
    ASSERT_FALSE(lost);
    EXPECT_TRUE(lost.error().lost);
}

}  // namespace
}  // namespace reeve::api
