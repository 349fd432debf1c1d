// The parsers of the probes: pure functions of bytes, each beside the probe that uses it, each with a fuzz
// target. Every failure is an Error with code EBADMSG; none throws and none reads past its input.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.hpp"

namespace reeve::platform::posture {

// An efivarfs file that holds one byte: four bytes of attributes, then the value
// (Documentation/filesystems/efivarfs).
Result<std::uint8_t> parse_efi_byte(std::string_view bytes);

// "none [integrity] confidentiality" -> "integrity" (security/lockdown/lockdown.c).
Result<std::string> parse_lockdown(std::string_view text);

// "lockdown,capability,landlock" (Documentation/admin-guide/LSM).
Result<std::vector<std::string>> parse_lsm(std::string_view text);

// securityfs apparmor/profiles: a line a profile, "name (enforce)". How many are enforced.
Result<std::size_t> parse_apparmor_profiles(std::string_view text);

// One line of /proc/self/mountinfo, escapes undone (proc(5)).
struct Mount {
    std::uint64_t id = 0;
    unsigned major = 0, minor = 0;
    std::string point, type, source;
};
Result<std::vector<Mount>> parse_mountinfo(std::string_view text);

// The names in /proc/swaps, escapes undone.
Result<std::vector<std::string>> parse_swaps(std::string_view text);

// A device-mapper uuid that says that the device's content is encrypted. "CRYPT-" alone does not: verity and
// integrity devices of cryptsetup carry it as well.
bool is_encrypting(std::string_view dm_uuid);

// What `apt-get --simulate dist-upgrade` would do. The summary line must be there: without it the output is
// not whole.
struct Upgrades {
    std::size_t all = 0, security = 0;
    std::string first_security;  // a package, for people
};
Result<Upgrades> parse_apt_simulation(std::string_view text);

// A netlink dump of NFT_MSG_GETCHAIN (linux/netfilter/nf_tables.h): the base chains that filter what comes
// in.
struct InputChain {
    std::string table, name;
    bool drops_by_default = false;
    std::uint32_t rules = 0;
};
Result<std::vector<InputChain>> parse_nft_chains(std::string_view bytes);

// The lines of reeve-self-test. `held` is empty where the wall could not be tried.
struct Wall {
    std::string name;
    std::optional<bool> held;
    std::string detail;
};
Result<std::vector<Wall>> parse_self_test(std::string_view text);

}  // namespace reeve::platform::posture
