// The parsers of posture's probes, each on any bytes: a value or an Error with EBADMSG, and what they give is bounded by
// what they were given.
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "platform/linux/posture/parse.hpp"

namespace {

template <class T>
const T* checked(const reeve::platform::Result<T>& result) {
    if (!result && result.error().code != EBADMSG) std::abort();
    return result ? &*result : nullptr;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reeve::platform::posture;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)checked(parse_efi_byte(text));
    if (const auto mode = parse_lockdown(text); checked(mode) != nullptr && mode->size() > size) std::abort();
    if (const auto names = parse_lsm(text); checked(names) != nullptr && names->size() > size + 1)
        std::abort();
    if (const auto count = parse_apparmor_profiles(text); checked(count) != nullptr && *count > size)
        std::abort();
    if (const auto mounts = parse_mountinfo(text); checked(mounts) != nullptr)
        for (const Mount& mount : *mounts)
            if (!mount.point.starts_with('/')) std::abort();
    if (const auto names = parse_swaps(text); checked(names) != nullptr && names->size() > size) std::abort();
    (void)is_encrypting(text);
    if (const auto upgrades = parse_apt_simulation(text); checked(upgrades) != nullptr)
        if (upgrades->security > upgrades->all) std::abort();
    if (const auto chains = parse_nft_chains(text); checked(chains) != nullptr && chains->size() > size)
        std::abort();
    (void)checked(parse_self_test(text));
    return 0;
}
