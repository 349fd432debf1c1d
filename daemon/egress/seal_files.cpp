#include "daemon/egress/seal_files.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "platform/fd.hpp"
#include "platform/linux/confine/landlock.hpp"

namespace reeve::egress {
namespace {

using platform::Fd;

// linux/landlock.h, of which Debian 12 has ABI 2. The three calls have the same numbers on all architectures.
constexpr long kCreateRuleset = 444, kAddRule = 445, kRestrictSelf = 446;
constexpr int kRulePathBeneath = 1;
constexpr std::uint64_t kReadFile = 1 << 2;
constexpr std::uint64_t kBindTcp = 1;
constexpr std::uint64_t kScopes = 1 | 2;  // abstract sockets, signals

struct Ruleset {
    std::uint64_t file_system, network, scoped;
};
struct [[gnu::packed]] PathBeneath {
    std::uint64_t rights;
    std::int32_t fd;
};

// Of c-ares and of the C library. Each may be a link: what it leads to counts.
constexpr const char* kRead[] = {"/etc/resolv.conf", "/etc/hosts",     "/etc/nsswitch.conf",
                                 "/etc/services",    "/etc/host.conf", "/dev/urandom"};

std::uint64_t file_rights(int abi) {
    const unsigned count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (std::uint64_t{1} << count) - 1;
}

std::size_t size_for(int abi) {
    return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

platform::Status allow(int ruleset, const std::string& path) {
    const Fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place) return {};  // what is not there is not read
    const PathBeneath rule{kReadFile, place.get()};
    if (::syscall(kAddRule, ruleset, kRulePathBeneath, &rule, 0) != 0)
        return platform::os_error("let reeve-egress read", path);
    return {};
}

// resolv.conf is replaced, not rewritten, when the machine moves to another network: by name it has to be found again.
std::string folder_of_resolv_conf() {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath("/etc/resolv.conf", nullptr), &::free);
    const std::string path = real ? real.get() : "/etc/resolv.conf";
    return path.substr(0, path.rfind('/'));
}

}  // namespace

platform::Status close_file_system() {
    const int abi = platform::confine::landlock_abi();
    if (abi == 0) return {};
    const Ruleset rules{file_rights(abi), abi >= 4 ? kBindTcp : 0, abi >= 6 ? kScopes : 0};
    const Fd domain(static_cast<int>(::syscall(kCreateRuleset, &rules, size_for(abi), 0)));
    if (!domain) return platform::os_error("make a Landlock ruleset", "");
    for (const char* path : kRead)
        if (auto s = allow(domain.get(), path); !s) return s;
    if (auto s = allow(domain.get(), folder_of_resolv_conf()); !s) return s;
    if (::syscall(kRestrictSelf, domain.get(), 0) != 0)
        return platform::os_error("enter the Landlock domain", "");
    return {};
}

}  // namespace reeve::egress
