// Has anything happened to this kernel since it started that makes its word doubtful?
// (Documentation/admin-guide/tainted-kernels)
#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kUntainted{"kernel", "untainted"};

struct Bit {
    const char* name;
    bool doubtful;  // the kernel may run code that nobody vouched for, or its memory may be wrong
};
constexpr Bit kBits[] = {
    {"proprietary module", false},              // 0 P: vendors' drivers are common and signed
    {"module loaded by force", true},           // 1 F: version and signature were overruled
    {"processor out of specification", false},  // 2 S
    {"module unloaded by force", true},         // 3 R
    {"machine check", true},                    // 4 M: memory or processor gave errors
    {"bad page", true},                         // 5 B
    {"set by a program", false},                // 6 U
    {"kernel died before (oops)", true},        // 7 D
    {"ACPI table overridden", true},            // 8 A: firmware code replaced from outside
    {"kernel warning", false},                  // 9 W: common and usually harmless
    {"staging driver", false},                  // 10 C
    {"firmware bug worked around", false},      // 11 I
    {"out-of-tree module", false},              // 12 O
    {"unsigned module", true},                  // 13 E
    {"soft lockup", false},                     // 14 L
    {"live patched", false},                    // 15 K
    {"marked by the distribution", false},      // 16 X
    {"structures randomised", false},           // 17 T
    {"in-kernel test ran", true},               // 18 N: test code of the kernel was started
    {"firmware changed by a tool", true},       // 19 J (fwctl, Linux 6.15)
};

Check untainted(const FileSystem& files) {
    const auto text = files.read("/proc/sys/kernel/tainted");
    if (!text) return not_run(kUntainted, text.error());
    const auto value = number("/proc/sys/kernel/tainted", trim(*text));
    if (!value) return not_run(kUntainted, value.error());
    if (*value == 0) return success(kUntainted, "the kernel is not tainted");

    std::string names;
    bool doubtful = false, unknown = false;
    for (unsigned bit = 0; bit < 64; ++bit) {
        if (!((*value >> bit) & 1)) continue;
        const bool known = bit < std::size(kBits);
        unknown = unknown || !known;
        doubtful = doubtful || (known && kBits[bit].doubtful);
        names += (names.empty() ? "" : ", ") + (known ? kBits[bit].name : "bit " + std::to_string(bit));
    }
    if (doubtful)
        return fail(kUntainted, value_reason(std::to_string(*value)), "tainted: " + names,
                    "find the cause in the kernel's log and restart");
    if (unknown)
        return not_run(kUntainted, reason::kUnsupportedVersion, "tainted in a way unknown here: " + names);
    return success(kUntainted, "nothing that matters: " + names);
}

}  // namespace

std::vector<Check> probe_taint(const Sources& from, const Subject&) {
    return {untainted(from.files)};
}

}  // namespace reeve::platform::posture
