// Where the daemon finds and keeps things: /etc/reeve/reeved.json, and the command line over it.
#pragma once

#include <string>

#include "platform/result.hpp"

namespace reeve::daemon {

struct Settings {
    std::string policy_directory = "/etc/reeve/policy.d";
    std::string state_directory = "/var/lib/reeve";
    std::string run_directory = "/run/reeve";
    std::string log_directory = "/var/log/reeve";
    std::string vendor_policy = "/usr/share/reeve/policies/vendor.jsonc";
    std::string libexec_directory = "/usr/libexec/reeve";
    std::string device_id;    // empty: the machine id, hashed
    std::string user_domain;  // "example.com": alice is alice@example.com in the log
};

// A file that is missing means the defaults, unless it `must_exist`. An unknown member, a wrong type and a relative
// path are errors.
platform::Result<Settings> read_settings(const std::string& path, bool must_exist);

}  // namespace reeve::daemon
