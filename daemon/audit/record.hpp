// One record of the audit log (`reeve.audit/1`, FORMATS "Audit record"), as the code that has something to
// say hands it to the log.
//
// A Record is made of views and plain values: it owns nothing, and what it points to must live until
// Log::append has returned, no longer. What is the same for all records of a session or a process stands in
// contexts whose JSON is written once. Not covered: seq, boot_id and chain, which the log gives.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace reeve::audit {

enum class Action : std::uint8_t {
    kSessionStart,
    kSessionEnd,
    kFileList,
    kFileRead,
    kFileWrite,
    kFileCreate,
    kFileDelete,
    kFileRename,
    kFileLink,
    kFileExecute,
    kFileAttributes,
    kFileCanary,  // whatever was tried with a file that is only there to be touched by who should not
    kProcessExec,
    kProcessEnd,
    kNetworkConnect,
    kNetworkDns,
    kConsentAsked,
    kConsentAnswered,
    kConsentRevoked,
    kCredentialIssued,
    kCredentialRefused,
    kPostureChanged,
    kPolicyLoaded,
    kPolicyRefused,
    kAttestationSigned,
    kAuditCheckpoint,
    kAuditGap,
    kDaemonStart,
    kDaemonStop,
    kDaemonError,
};
inline constexpr std::size_t kActions = static_cast<std::size_t>(Action::kDaemonError) + 1;

enum class ResourceType : std::uint8_t {
    kNone,
    kFile,
    kDirectory,
    kProcess,
    kHost,
    kSession,
    kCredential,
    kPolicy,
    kDevice,
    kLog
};
enum class Outcome : std::uint8_t { kNone, kAllowed, kDenied, kFailed };
enum class Decision : std::uint8_t { kNone, kAllow, kAsk, kDeny };
enum class DecidedBy : std::uint8_t { kNone, kPolicy, kGrant, kPerson, kDefault };

// The words of FORMATS: "file.read", "file", "allowed", ... kNone gives an empty text, and the member is left
// out.
std::string_view word(Action value);
std::string_view word(ResourceType value);
std::string_view word(Outcome value);
std::string_view word(Decision value);
std::string_view word(DecidedBy value);

// What a session (or the daemon itself) writes into each of its records. Empty members are left out.
struct SessionFacts {
    std::string session = {};
    std::string trace_id = {};  // 32 hex digits
    std::string user_id = {};
    std::optional<std::uint32_t> uid = {};
    std::string agent_id = {};
    std::string agent_sha256 = {};
    std::string device_id = {};
    std::optional<bool> compliant = {};                               // device_posture.compliant
    std::string edr = {};                                             // device_posture.edr
    std::string policy_id = {};                                       // "acme-desktop@12"
    std::string model_id = {}, model_version = {}, prompt_hash = {};  // model_metadata
};

// Immutable, so that any thread may use it. A fact that changes (posture, model) makes a new one.
class SessionContext {
  public:
    explicit SessionContext(const SessionFacts& facts);

  private:
    friend class Encoder;
    // Pieces of JSON, each empty where there is nothing to say.
    std::string trace_;    // ,"trace_id":"..."
    std::string session_;  // ,"session":"..."
    std::string actor_;    // "user_id":"...","uid":... without the braces: the process joins it
    std::string policy_;   // "policy_id":"..."
    std::string model_;    // ,"model_metadata":{...}
};

struct ProcessFacts {
    std::int64_t pid = 0;
    std::uint64_t start_ns = 0;  // since boot; 0 is left out
    std::string exe = {};        // bytes; a path that is not UTF-8 adds exe_b64, as a resource does
    std::int64_t parent = 0;     // 0 is left out
};

// Immutable: made once for each process (and again after an exec).
class ProcessContext {
  public:
    explicit ProcessContext(const ProcessFacts& facts);

  private:
    friend class Encoder;
    std::string json_;  // "process":{...}
};

// One member of `details`. The key is ASCII without quotes or backslashes; string values are bytes as a
// resource is, with KEY_b64 behind one that is not UTF-8.
struct Detail {
    std::string_view key;
    std::variant<std::string_view, std::int64_t, std::uint64_t, bool> value;
};

struct Credential {
    std::string_view type;
    std::uint64_t ttl_seconds = 0;
};

struct Record {
    Action action = Action::kDaemonStart;
    std::int64_t realtime_ns = 0;             // since 1970; 0: the log's clock is read
    std::uint64_t monotonic_ns = 0;           // CLOCK_MONOTONIC; 0: the log's clock is read
    const SessionContext* session = nullptr;  // null: the log's own (device, no session)
    const ProcessContext* process = nullptr;
    std::string_view trace_id = {};  // 32 hex digits; empty: the session's
    std::uint64_t span_id = 0;       // 0 is left out
    std::string_view resource = {};  // bytes
    ResourceType resource_type = ResourceType::kNone;
    std::uint64_t count = 1;
    Outcome outcome = Outcome::kNone;
    // policy_evaluation; policy_id is the session's. Left out as a whole when decision and rule are.
    std::string_view rule = {};
    Decision decision = Decision::kNone;
    std::string_view grant = {};
    DecidedBy decided_by = DecidedBy::kNone;
    std::optional<Credential> credential = {};
    std::span<const Detail> details = {};
};

}  // namespace reeve::audit
