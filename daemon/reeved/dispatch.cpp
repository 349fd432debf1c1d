#include "daemon/reeved/services.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace reeve::daemon {
namespace {

struct Call {
    std::string_view name;
    void (*make)(Services&, const Client&, const api::Json&);
    bool root_only = false;
};
constexpr Call kCalls[] = {
    {"ps", &call_ps},
    {"stop", &call_stop},
    {"policy", &call_policy},
    {"explain", &call_explain},
    {"log", &call_log},
    {"denials", &call_denials},
    {"checkpoint", &call_checkpoint, true},
    {"posture", &call_posture},
    {"attest", &call_attest},
    {"device-key", &call_device_key},
    {"doctor", &call_doctor},
};

}  // namespace

void dispatch(Services& services, const Client& client, api::Message message) {
    const auto name = message.body.find("call");
    const std::string called =
        name != message.body.end() && name->is_string() ? name->get<std::string>() : "";
    const auto refuse = [&](const char* why, const char* todo) {
        client->fail(platform::error("make the call", called, why, todo));
    };
    if (called == "run") return call_run(services, client, std::move(message));
    const auto* const call = std::ranges::find(kCalls, called, &Call::name);
    if (call == std::end(kCalls))
        return refuse("there is no such call", "use a reeve of the same version as the daemon");
    if (!message.fds.empty()) return refuse("it takes no descriptors", "send none");
    if (call->root_only && !client->peer().is_root()) return refuse("it is for root", "sudo");
    call->make(services, client, message.body);
}

}  // namespace reeve::daemon
