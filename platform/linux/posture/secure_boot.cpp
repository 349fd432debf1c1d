// Does the firmware check what it starts? From efivarfs (UEFI 2.10, section 3.3; shim's MokSBStateRT).
#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kSecureBoot{"boot", "secure-boot"};
constexpr const char* kVariables = "/sys/firmware/efi/efivars";
constexpr const char* kGlobal = "-8be4df61-93ca-11d2-aa0d-00e098032b8c";  // EFI_GLOBAL_VARIABLE
constexpr const char* kShim = "-605dab50-e046-4300-abb6-3dd810dd8b23";    // SHIM_LOCK_GUID

Result<std::uint8_t> variable(const FileSystem& files, const std::string& name) {
    const auto bytes = files.read(std::string(kVariables) + "/" + name);
    if (!bytes) return std::unexpected(bytes.error());
    return parse_efi_byte(*bytes);
}

Check without_variables(const FileSystem& files) {
    const auto firmware = files.list("/sys/firmware");
    if (!firmware) return not_run(kSecureBoot, firmware.error());
    for (const auto& entry : *firmware)
        if (entry == "efi")
            return not_run(kSecureBoot, reason::kNotMounted, "the firmware's variables are not mounted",
                           "mount efivarfs on /sys/firmware/efi/efivars");
    // Containers put something empty over /sys/firmware: that is hiding, not absence.
    if (firmware->empty())
        return not_run(kSecureBoot, reason::kNotMounted, "what the firmware says is hidden here");
    return absent(kSecureBoot, reason::kUnsupported,
                  "started without EFI, so nothing checked the boot loader",
                  "switch the firmware from legacy boot to UEFI");
}

Check secure_boot(const FileSystem& files) {
    const auto variables = files.list(kVariables);
    if (!variables && variables.error().code != ENOENT) return not_run(kSecureBoot, variables.error());
    if (!variables || variables->empty()) return without_variables(files);

    const auto on = variable(files, std::string("SecureBoot") + kGlobal);
    if (!on && on.error().code == ENOENT)
        return absent(kSecureBoot, reason::kUnsupported, "this firmware has no secure boot");
    if (!on) return not_run(kSecureBoot, on.error());
    if (*on == 0)
        return fail(kSecureBoot, "value_0", "secure boot is off",
                    "switch secure boot on in the firmware's setup");
    if (*on != 1) return not_run(kSecureBoot, malformed("SecureBoot", "neither 0 nor 1").error());

    const auto setup = variable(files, std::string("SetupMode") + kGlobal);
    if (!setup && setup.error().code != ENOENT) return not_run(kSecureBoot, setup.error());
    if (setup && *setup != 0)
        return fail(kSecureBoot, "value_setup_mode", "the firmware takes new keys from anybody",
                    "enrol a platform key in the firmware's setup");

    const auto shim = variable(files, std::string("MokSBStateRT") + kShim);
    if (!shim && shim.error().code != ENOENT) return not_run(kSecureBoot, shim.error());
    if (shim && *shim != 0)
        return fail(kSecureBoot, reason::kDegraded, "on in the firmware, but shim is told to check nothing",
                    "run mokutil --enable-validation and restart");
    return success(kSecureBoot, "secure boot is on");
}

}  // namespace

Result<std::uint8_t> parse_efi_byte(std::string_view bytes) {
    if (bytes.size() != 5)
        return malformed("EFI variable", std::to_string(bytes.size()) + " bytes where 5 are due");
    return static_cast<std::uint8_t>(bytes[4]);
}

std::vector<Check> probe_secure_boot(const Sources& from, const Subject&) {
    return {secure_boot(from.files)};
}

}  // namespace reeve::platform::posture
