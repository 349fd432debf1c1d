#include "daemon/reeved/settings.hpp"

#include <fstream>
#include <iterator>

#include "daemon/api/message.hpp"

namespace reeve::daemon {
namespace {

// Names are those of FORMATS' "Places" and of reeved(8).
struct Member {
    const char* name;
    std::string Settings::*where;
    bool path;
};
constexpr Member kMembers[] = {
    {"policy_directory", &Settings::policy_directory, true},
    {"state_directory", &Settings::state_directory, true},
    {"run_directory", &Settings::run_directory, true},
    {"log_directory", &Settings::log_directory, true},
    {"vendor_policy", &Settings::vendor_policy, true},
    {"libexec_directory", &Settings::libexec_directory, true},
    {"device_id", &Settings::device_id, false},
    {"user_domain", &Settings::user_domain, false},
};

}  // namespace

platform::Result<Settings> read_settings(const std::string& path, bool must_exist) {
    std::ifstream file(path, std::ios::binary);
    Settings settings;
    if (!file) {
        if (errno == ENOENT && !must_exist) return settings;
        return platform::os_error("read the settings", path);
    }
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto body = api::parse_message(text);
    if (!body)
        return platform::error("read the settings", path, body.error().why, "see reeved(8) for its members");
    api::Members members(*body, "the settings");
    for (const Member& member : kMembers) {
        settings.*member.where = members.string(member.name, settings.*member.where);
        if (member.path && !(settings.*member.where).starts_with('/'))
            return platform::error("read the settings", path,
                                   std::string(member.name) + " is not an absolute path");
    }
    if (auto s = members.finish(); !s)
        return platform::error("read the settings", path, s.error().why, "see reeved(8) for its members");
    return settings;
}

}  // namespace reeve::daemon
