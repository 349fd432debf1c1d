// The probes, one file each. Each reports exactly the names that its row in probes.cpp lists (and more where
// it can).
#pragma once

#include <vector>

#include "platform/posture.hpp"

namespace reeve::platform::posture {

std::vector<Check> probe_secure_boot(const Sources& from, const Subject& subject);
std::vector<Check> probe_lockdown(const Sources& from, const Subject& subject);
std::vector<Check> probe_access_control(const Sources& from, const Subject& subject);
std::vector<Check> probe_taint(const Sources& from, const Subject& subject);
std::vector<Check> probe_sysctl(const Sources& from, const Subject& subject);
std::vector<Check> probe_disk(const Sources& from, const Subject& subject);
std::vector<Check> probe_swap(const Sources& from, const Subject& subject);
std::vector<Check> probe_firewall(const Sources& from, const Subject& subject);
std::vector<Check> probe_security_updates(const Sources& from, const Subject& subject);
std::vector<Check> probe_rebooted(const Sources& from, const Subject& subject);
std::vector<Check> probe_clock(const Sources& from, const Subject& subject);
std::vector<Check> probe_sandbox(const Sources& from, const Subject& subject);
std::vector<Check> probe_self_test(const Sources& from, const Subject& subject);

}  // namespace reeve::platform::posture
