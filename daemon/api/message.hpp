// What travels on reeved's socket: one JSON object a packet, and the descriptors that go with it.
//
// A request is {"call": NAME, ...}. An answer is {"done": {...}}, the last packet of a call, or {"error":
// {"tried", "on", "why", "todo", "code"}}, which is the last as well; before it a call may send events,
// {"event": NAME, ...}. One call at a time on a connection. Members that a call does not know are an error,
// so that a misspelt one is never ignored. Which calls there are: calls.hpp.
//
// Not covered: who may call what (daemon/reeved).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/linux/seqpacket.hpp"

namespace reeve::api {

using Json = nlohmann::json;

inline constexpr std::size_t kMaxMessage = platform::kMaxPacket;  // bytes
inline constexpr std::size_t kMaxFds = 16;

struct Message {
    Json body;  // an object
    std::vector<platform::Fd> fds;
};

// One object, without a member that is there twice, at most 16 deep, in UTF-8.
platform::Result<Json> parse_message(std::string_view bytes);

// Waits until it is sent. EMSGSIZE where it does not fit into a packet.
platform::Status send_message(int socket, const Json& body, std::span<const int> fds = {});

// Waits unless `flags` has MSG_DONTWAIT (then an Error with EAGAIN). Nothing: the peer is gone.
platform::Result<std::optional<Message>> receive_message(int socket, int flags = 0);

Json done(Json result = Json::object());
Json failure(const platform::Error& error);
// The Error that {"error": ...} holds. Whatever is not as it should be in it is left empty.
platform::Error failure_of(const Json& body);

// Reads the members of an object, each with its type; what goes wrong first is kept, with the member's name.
//
//   Members members(body, "run");
//   auto names = members.strings("command");
//   bool json = members.boolean("json", false);
//   if (auto s = members.finish(); !s) return std::unexpected(s.error());
class Members {
  public:
    // `body` must outlive it. `what` is used in errors: "the call run".
    Members(const Json& body, std::string what) : body_(body), what_(std::move(what)) {}

    std::string string(const char* name, std::string otherwise = {});
    std::string required_string(const char* name);
    bool boolean(const char* name, bool otherwise = false);
    std::int64_t integer(const char* name, std::int64_t otherwise, std::int64_t least, std::int64_t most);
    std::vector<std::string> strings(const char* name);
    const Json* any(const char* name);  // null where it is not there

    // An Error if a member was wrong, or is left that nobody asked for.
    platform::Status finish();

  private:
    const Json* find(const char* name);
    void wrong(const char* name, const char* expected);

    const Json& body_;
    std::string what_;
    std::vector<std::string> known_;
    std::string problem_;
};

}  // namespace reeve::api
