// log, checkpoint.
#include <time.h>

#include "daemon/reeved/services.hpp"

namespace reeve::daemon {
namespace {

using platform::error;
using platform::Result;

// "2026-11-23T19:02:11Z" as FORMATS writes times; the client turns what people write into that.
Result<std::int64_t> nanoseconds_of(const std::string& time) {
    tm parts{};
    const char* rest = ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == nullptr)
        return error("read the time", time, "it is no RFC 3339 time in UTC", "write 2026-11-23T19:02:11Z");
    std::int64_t fraction = 0;
    if (*rest == '.') {
        std::int64_t place = 100'000'000;
        for (++rest; *rest >= '0' && *rest <= '9'; ++rest, place /= 10) fraction += (*rest - '0') * place;
    }
    if (std::string_view(rest) != "Z")
        return error("read the time", time, "it is no RFC 3339 time in UTC", "write 2026-11-23T19:02:11Z");
    return std::int64_t{::timegm(&parts)} * 1'000'000'000 + fraction;
}

Result<audit::Filter> filter_of(api::Members& members, const Peer& peer) {
    audit::Filter filter;
    if (!peer.is_root()) filter.uid = peer.uid;
    filter.session = members.string("session");
    filter.action = members.string("action");
    // Either what policy said, or what came of it.
    const std::string decision = members.string("decision");
    const bool outcome = decision == "allowed" || decision == "denied" || decision == "failed";
    (outcome ? filter.outcome : filter.decision) = decision;
    filter.host = members.string("host");
    const std::string path = members.string("path"), since = members.string("since");
    if (!path.empty()) {
        auto glob = audit::Glob::compile(path);
        if (!glob) return std::unexpected(glob.error());
        filter.path = std::move(*glob);
    }
    if (!since.empty()) {
        auto time = nanoseconds_of(since);
        if (!time) return std::unexpected(time.error());
        filter.since_ns = *time;
    }
    return filter;
}

}  // namespace

void call_log(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call log");
    members.string("call");
    const bool follow = members.boolean("follow");
    auto filter = filter_of(members, client->peer());
    if (auto s = members.finish(); !s) return client->fail(s.error());
    if (!filter) return client->fail(filter.error());
    services.readers.start(client, std::move(*filter), follow);
}

void call_checkpoint(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call checkpoint");
    members.string("call");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    if (auto s = services.log.checkpoint(); !s) return client->fail(s.error());
    const audit::Position position = services.log.position();
    client->done({{"seq", position.seq}, {"chain", position.chain}});
}

}  // namespace reeve::daemon
