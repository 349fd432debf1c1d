#include "daemon/api/message.hpp"

#include <algorithm>

#include "attestation/jose/json.hpp"

namespace reeve::api {

using platform::Error;

platform::Result<Json> parse_message(std::string_view bytes) {
    auto body = attestation::jose::parse_object(bytes, kMaxMessage);
    if (!body)
        return platform::error("read a message", "", body.error().detail,
                               "see FORMATS: one JSON object a packet");
    return std::move(*body);
}

platform::Status send_message(int socket, const Json& body, std::span<const int> fds) {
    // Bytes that are no UTF-8 (a path in an error) are shown as U+FFFD, and never make it throw.
    const std::string bytes = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (bytes.size() > kMaxMessage)
        return platform::os_error("send a message", std::to_string(bytes.size()) + " bytes", EMSGSIZE,
                                  "a message has at most " + std::to_string(kMaxMessage) + " bytes");
    return platform::send_packet(socket, bytes, fds);
}

platform::Result<std::optional<Message>> receive_message(int socket, int flags) {
    auto packet = platform::receive_packet(socket, flags);
    if (!packet && packet.error().code == ECONNRESET) return std::optional<Message>();
    if (!packet) return std::unexpected(packet.error());
    if (packet->end) return std::optional<Message>();
    if (packet->fds.size() > kMaxFds)
        return platform::error("read a message", "",
                               "it comes with " + std::to_string(packet->fds.size()) + " descriptors",
                               "at most " + std::to_string(kMaxFds) + " are taken");
    auto body = parse_message(packet->bytes);
    if (!body) return std::unexpected(body.error());
    return std::optional<Message>(Message{std::move(*body), std::move(packet->fds)});
}

Json done(Json result) {
    return Json{{"done", std::move(result)}};
}

Json failure(const Error& error) {
    return Json{{"error",
                 {{"tried", error.tried},
                  {"on", error.on},
                  {"why", error.why},
                  {"todo", error.todo},
                  {"code", error.code}}}};
}

Error failure_of(const Json& body) {
    Error error{.tried = "have the daemon do this", .why = "it said no without a reason"};
    const auto found = body.find("error");
    if (found == body.end() || !found->is_object()) return error;
    const auto take = [&](const char* name, std::string& into) {
        const auto member = found->find(name);
        if (member != found->end() && member->is_string()) into = member->get<std::string>();
    };
    take("tried", error.tried);
    take("on", error.on);
    take("why", error.why);
    take("todo", error.todo);
    const auto code = found->find("code");
    if (code != found->end() && code->is_number_integer()) error.code = code->get<int>();
    return error;
}

const Json* Members::find(const char* name) {
    known_.emplace_back(name);
    const auto found = body_.find(name);
    return found == body_.end() ? nullptr : &*found;
}

void Members::wrong(const char* name, const char* expected) {
    if (problem_.empty()) problem_ = std::string("\"") + name + "\" is not " + expected;
}

std::string Members::string(const char* name, std::string otherwise) {
    const Json* member = find(name);
    if (member == nullptr) return otherwise;
    // A NUL would end it early for whoever takes it as a path or an argument.
    if (member->is_string() && member->get_ref<const std::string&>().find('\0') == std::string::npos)
        return member->get<std::string>();
    wrong(name, "a string without NUL");
    return otherwise;
}

std::string Members::required_string(const char* name) {
    std::string value = string(name);
    if (value.empty()) wrong(name, "a string that is not empty");
    return value;
}

bool Members::boolean(const char* name, bool otherwise) {
    const Json* member = find(name);
    if (member == nullptr) return otherwise;
    if (member->is_boolean()) return member->get<bool>();
    wrong(name, "true or false");
    return otherwise;
}

std::int64_t Members::integer(const char* name, std::int64_t otherwise, std::int64_t least,
                              std::int64_t most) {
    const Json* member = find(name);
    if (member == nullptr) return otherwise;
    const bool fits = member->is_number_integer() &&
                      (!member->is_number_unsigned() || member->get<std::uint64_t>() <= INT64_MAX) &&
                      member->get<std::int64_t>() >= least && member->get<std::int64_t>() <= most;
    if (fits) return member->get<std::int64_t>();
    wrong(name, ("an integer from " + std::to_string(least) + " to " + std::to_string(most)).c_str());
    return otherwise;
}

std::vector<std::string> Members::strings(const char* name) {
    const Json* member = find(name);
    std::vector<std::string> values;
    if (member == nullptr) return values;
    if (!member->is_array()) wrong(name, "a list of strings");
    for (const Json& value : *member) {
        if (value.is_string() && value.get_ref<const std::string&>().find('\0') == std::string::npos)
            values.push_back(value.get<std::string>());
        else
            wrong(name, "a list of strings without NUL");
    }
    return values;
}

const Json* Members::any(const char* name) {
    return find(name);
}

platform::Status Members::finish() {
    for (const auto& [name, value] : body_.items())
        if (problem_.empty() && std::find(known_.begin(), known_.end(), name) == known_.end())
            problem_ = "it has no member \"" + name + "\"";
    if (problem_.empty()) return {};
    return platform::error("read " + what_, "", problem_, "use a reeve of the same version as the daemon");
}

}  // namespace reeve::api
