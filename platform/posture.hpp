// What the device says of itself: one Check for each fact that a policy or a broker may ask for.
//
// A probe measures, it never judges a policy. "Could not tell" is Word::kNotRun with a reason, and never
// "no". It does not cover: EDR agents, TPM quotes, and anything that a root attacker on this device could not
// fake.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/confine.hpp"
#include "platform/result.hpp"

namespace reeve::platform::posture {

// The words of EAT "measres" (RFC 9711, section 4.2.17), as FORMATS writes them.
enum class Word : std::uint8_t {
    kSuccess,  // measured, and as it should be
    kFail,     // measured, and not as it should be
    kNotRun,   // could not be measured; the reason says why
    kAbsent    // what would be measured is not on this device
};
std::string_view text(Word word);

// Reasons are words that people's scripts and brokers compare. A measured value that is not as it should be
// gives "value_<what was read>"; everything else is one of these.
namespace reason {
inline constexpr std::string_view kTimeout = "timeout", kPermission = "permission",
                                  kParseError = "parse_error", kUnsupported = "unsupported",
                                  kUnsupportedVersion = "unsupported_version",
                                  kNotInstalled = "not_installed", kNotInKernel = "not_in_kernel",
                                  kNotMounted = "not_mounted", kDegraded = "degraded",
                                  kPassiveMode = "passive_mode", kStale = "stale",
                                  kClockInvalid = "clock_invalid", kUnsynchronised = "unsynchronised",
                                  kPending = "pending", kIoError = "io_error", kInternal = "internal";
}

struct Check {
    std::string area;  // "boot"
    std::string name;  // "secure-boot"; with the area unique on a device
    Word word = Word::kNotRun;
    std::string reason;          // empty for success, else one of the words above
    std::int64_t collected = 0;  // wall clock, seconds since 1970; set by the collector
    std::string detail;          // one line for people: what was seen
    std::string todo;            // one line for people: what to do about it; may be empty

    std::string id() const { return area + "." + name; }
};

// Reading the system, from a root of its own so that tests can give a captured tree. Safe to call from any
// thread.
class FileSystem {
  public:
    struct Stat {
        unsigned mode = 0;
        std::int64_t modified = 0;  // wall clock seconds
    };
    virtual ~FileSystem() = default;
    // The whole file; one that holds more than `limit` bytes is an error with code EFBIG.
    virtual Result<std::string> read(const std::string& path, std::size_t limit = 256 * 1024) const = 0;
    virtual Result<std::string> read_link(const std::string& path) const = 0;
    virtual Result<std::vector<std::string>> list(
        const std::string& path) const = 0;                        // sorted, without . and ..
    virtual Result<Stat> stat(const std::string& path) const = 0;  // follows links
    virtual Result<std::uint64_t> mount_of(
        const std::string& path) const = 0;  // id, as in /proc/self/mountinfo
};

// One program that may ever be executed for posture. There is no other way to run one, and never a shell.
struct Program {
    std::string_view id;
    std::vector<const char*> argv;  // argv[0] is the absolute path; fixed, nothing is added
    std::string_view why;
    unsigned limit_ms;       // killed, with all it started, after this time
    std::size_t max_output;  // bytes of standard output; more is an error
};
std::span<const Program> programs();

struct Output {
    int status = 0;  // exit code; a program that was killed by a signal is an Error instead
    std::string standard_output;
};

class Exec {
  public:
    virtual ~Exec() = default;
    // Runs the row `id` of the table. Errors: ENOENT not installed, ETIMEDOUT, EFBIG more output than
    // allowed, EPERM its walls could not be put up (then it was not run).
    virtual Result<Output> run(std::string_view id) const = 0;
};

// What only system calls tell.
class Kernel {
  public:
    struct ClockStatus {
        int state = 0;        // what adjtimex(2) returned, TIME_ERROR and the like
        unsigned status = 0;  // STA_* bits
    };
    virtual ~Kernel() = default;
    virtual Result<ClockStatus> clock_status() const = 0;
    virtual Result<std::string> nft_chains() const = 0;  // bytes of a netlink dump; ENOTSUP: no nf_tables
    virtual Result<confine::Support> support() const = 0;
    virtual std::int64_t wall_seconds() const = 0;
};

// Runs the victim inside a real session and gives back its lines
// ({"wall":"ptrace","held":true,"detail":"..."}).
using SelfTest = std::function<Result<std::string>()>;

// What probes measure with. The references outlive every use.
struct Sources {
    const FileSystem& files;
    const Exec& exec;
    const Kernel& kernel;
    SelfTest self_test;  // may be empty: sandbox.self-test is then not-run
};

// Who the posture is gathered for. An empty home asks about the device alone.
struct Subject {
    std::string home;
};

struct Probe {
    std::string_view area;
    std::vector<std::string_view> names;  // what it always reports, so that a probe that dies leaves no gap
    unsigned max_age;                     // seconds that a result stays good
    bool of_person;                       // the result depends on the subject
    std::vector<Check> (*run)(const Sources&, const Subject&);
};
std::span<const Probe> probes();

// The real system. `root` is "/" or the top of a captured tree; nothing outside it is ever read.
class RootedFileSystem : public FileSystem {
  public:
    static Result<RootedFileSystem> open(const std::string& root);
    Result<std::string> read(const std::string& path, std::size_t limit) const override;
    Result<std::string> read_link(const std::string& path) const override;
    Result<std::vector<std::string>> list(const std::string& path) const override;
    Result<Stat> stat(const std::string& path) const override;
    Result<std::uint64_t> mount_of(const std::string& path) const override;

  private:
    explicit RootedFileSystem(Fd root) : root_(std::move(root)) {}
    Result<Fd> open_below(const std::string& path, int flags, const char* tried) const;
    Fd root_;
};

// Runs programs through `reeve-probe`, which gives up everything first: ids, capabilities, network, writing,
// sight of other processes, environment, descriptors. Needs root. Blocks the calling thread for at most the
// row's limit.
class ConfinedExec : public Exec {
  public:
    // helper: path of reeve-probe. uid and gid: an account that owns nothing, never 0.
    ConfinedExec(std::string helper, uid_t uid, gid_t gid, std::span<const Program> table = programs())
        : helper_(std::move(helper)), uid_(uid), gid_(gid), table_(table) {}
    Result<Output> run(std::string_view id) const override;

  private:
    std::string helper_;
    uid_t uid_;
    gid_t gid_;
    std::span<const Program> table_;
};

class LinuxKernel : public Kernel {
  public:
    explicit LinuxKernel(std::function<Result<confine::Support>()> support) : support_(std::move(support)) {}
    Result<ClockStatus> clock_status() const override;
    Result<std::string> nft_chains() const override;
    Result<confine::Support> support() const override;
    std::int64_t wall_seconds() const override;

  private:
    std::function<Result<confine::Support>()> support_;  // confine::probe_support
};

}  // namespace reeve::platform::posture
