#include "daemon/egress/seal_files.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <cstdint>
#include <memory>
#include <string>

#include "platform/fd.hpp"
#include "platform/linux/landlock.hpp"

namespace reeve::egress {
namespace {

namespace landlock = platform::landlock;
using platform::Fd;

// Of c-ares and of the C library. Each may be a link: what it leads to counts.
constexpr const char* kRead[] = {"/etc/resolv.conf", "/etc/hosts",     "/etc/nsswitch.conf",
                                 "/etc/services",    "/etc/host.conf", "/dev/urandom"};

std::uint64_t file_rights(int abi) {
    const unsigned count = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return (std::uint64_t{1} << count) - 1;
}

platform::Status allow(landlock::Domain& domain, const std::string& path) {
    const Fd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place) return {};  // what is not there is not read
    return domain.allow(place.get(), landlock::kReadFile, "let reeve-egress read", path);
}

// resolv.conf is replaced, not rewritten, when the machine moves to another network: by name it has to be found again.
std::string folder_of_resolv_conf() {
    const std::unique_ptr<char, decltype(&::free)> real(::realpath("/etc/resolv.conf", nullptr), &::free);
    const std::string path = real ? real.get() : "/etc/resolv.conf";
    return path.substr(0, path.rfind('/'));
}

}  // namespace

platform::Status close_file_system() {
    const int abi = landlock::abi();
    if (abi == 0) return {};
    auto domain =
        landlock::Domain::make({.file_system = file_rights(abi),
                                .network = abi >= 4 ? landlock::kBindTcp : 0,
                                .scoped = abi >= 6 ? landlock::kScopeAbstract | landlock::kScopeSignal : 0});
    if (!domain) return std::unexpected(domain.error());
    for (const char* path : kRead)
        if (auto s = allow(*domain, path); !s) return s;
    if (auto s = allow(*domain, folder_of_resolv_conf()); !s) return s;
    return domain->enter();
}

}  // namespace reeve::egress
