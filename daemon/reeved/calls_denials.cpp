// denials.
#include "daemon/reeved/denial.hpp"
#include "daemon/reeved/services.hpp"

namespace reeve::daemon {
namespace {

// Of one answer, which is a packet. A denial alone is shorter.
constexpr std::size_t kMostBytes = api::kMaxMessage - 1024;

}  // namespace

void call_denials(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call denials");
    members.string("call");
    const std::string id = members.required_string("session");
    const std::int64_t since = members.integer("since", 0, 0, INT64_MAX);
    if (auto s = members.finish(); !s) return client->fail(s.error());
    auto session = session_for(services, client, id);
    if (!session) return client->fail(session.error());
    auto denials = services.watcher.denials(id, static_cast<std::uint64_t>(since));
    if (!denials) return client->fail(denials.error());
    const auto policy = services.sessions.policy_of(id);
    api::Json list = api::Json::array();
    std::size_t bytes = 0;
    for (const auto& denial : *denials) {
        api::Json one = denial_json(denial, *policy);
        bytes += one.dump(-1, ' ', true, api::Json::error_handler_t::replace).size() + 1;
        if (bytes > kMostBytes) break;
        list.push_back(std::move(one));
    }
    const bool more = list.size() < denials->size();
    client->done({{"denials", std::move(list)}, {"more", more}});
}

}  // namespace reeve::daemon
