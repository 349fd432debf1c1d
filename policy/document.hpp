// One policy document: JSON with comments (reeve.policy/1, FORMATS "Policy document") as a typed, checked
// model.
//
// Parsing is pure and never fails in another way than with diagnostics, whatever the bytes. It does not cover
// what needs the other layers or the session: `extends`, values of variables, the size of the automaton
// (policy/engine.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/diagnostic.hpp"

namespace reeve::policy {

// Bounds on a document; what is over them is a diagnostic.
inline constexpr std::size_t kMaxDocumentBytes = 1 << 20;
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxRules = 20'000;   // of one section
inline constexpr std::size_t kMaxPatterns = 4096;  // of one list
inline constexpr std::size_t kMaxPatternBytes = 4096;
inline constexpr std::size_t kMaxDiagnostics = 200;

enum class Verdict : std::uint8_t { allow, ask, deny };  // in order of strictness
enum class Mode : std::uint8_t { observe, enforce };     // in order of strictness
// What to do about a pattern that this machine cannot enforce yet, in order of strictness.
enum class Unenforceable : std::uint8_t { degrade, refuse };

// `read` in a rule covers list; `write` covers create, remove, rename, link and attributes.
enum class FileAction : std::uint8_t { list, read, write, create, remove, rename, link, execute, attributes };
inline constexpr std::size_t kFileActions = 9;
using ActionSet = std::uint16_t;  // bit 1 << FileAction
constexpr ActionSet bit(FileAction action) {
    return static_cast<ActionSet>(1U << static_cast<unsigned>(action));
}
// "delete" for FileAction::remove, else the enumerator's name; empty optional for any other word.
std::string_view name_of(FileAction action);
std::optional<FileAction> file_action(std::string_view name);
std::string_view name_of(Verdict verdict);

// What is recorded in a zone; the bits equal platform::confine::Log. Changes are all that the keeper and the kernel
// tell (creations, renames, deletions, attributes, writes); writes are only what the kernel tells by itself: that a
// file which was open for writing was closed.
enum LogBits : unsigned { kLogOpens = 1, kLogChanges = 2, kLogExecutions = 4, kLogWrites = 8 };
inline constexpr unsigned kLogAll = kLogOpens | kLogChanges | kLogExecutions | kLogWrites;

// A string of a document that is a pattern; its syntax was checked.
struct PatternText {
    std::string text;
    Position at;  // of the string
};

struct FileRule {
    std::string id;  // "" where the document gives none
    Verdict verdict = Verdict::deny;
    ActionSet actions = 0;  // with what read and write cover
    ActionSet named = 0;    // as written
    std::vector<PatternText> paths, except;
    std::vector<std::string> agents;  // empty: all
    std::optional<unsigned> log;      // LogBits; only on allow
    bool hidden = false;  // only on deny: what it denies does not exist for the session, where it is veiled
    bool canary = false;  // only on deny, of literal paths: what looks present, and whose touch is news
    std::string reason, label;
    Position at;
};

// "public", "private", … or a CIDR, in canonical bytes (IPv4 as IPv4-mapped IPv6).
enum class AddressClass : std::uint8_t { public_, private_, loopback, link_local, metadata, own };
struct AddressRange {
    std::optional<AddressClass> kind;  // else the network below
    std::string network;               // 16 bytes
    unsigned prefix = 0;               // 0 to 128
};
struct PortRange {
    std::uint16_t first = 0, last = 0;
};
struct NetworkTarget {
    std::vector<std::string> hosts;       // lower case; `*` one label, `**` any number; empty: any
    std::vector<std::string> except;      // as hosts: what of them is not meant
    std::vector<PortRange> ports;         // empty: any
    std::vector<AddressRange> addresses;  // empty: any for deny, public for allow and ask
};
// What of a connection is held against the name that was asked for, in order of strictness.
enum class Verify : std::uint8_t {
    address,  // only the address that is dialled: any protocol
    tls,      // that it is TLS: also with an encrypted server name (ECH) or none
    name,     // the server name of TLS, or the Host of each HTTP request, is that name
};
struct NetworkRule {
    std::string id;
    Verdict verdict = Verdict::deny;
    NetworkTarget target;
    Verify verify = Verify::name;  // only on allow and ask
    std::vector<std::string> agents;
    std::string reason, label;
    Position at;
};

struct DlpRule {
    std::string id;
    std::vector<std::string> labels;       // `when`
    std::optional<NetworkTarget> inspect;  // whose bytes are looked at
    Verdict verdict = Verdict::deny;
    NetworkTarget target;             // hosts that the verdict is about
    std::vector<std::string> detect;  // detectors, "credit-card"
    std::vector<std::string> types;   // kinds of file, "xlsx"
    std::vector<std::string> agents;
    std::string reason;
    Position at;
};

// One way to be trusted; exactly one member is set.
struct TrustAnchor {
    std::string package;              // name of the owning Debian or RPM package
    std::vector<std::string> sha256;  // 64 hex digits, lower case
    std::string signer;               // path of a certificate, as written
};
// What a document may leave out of an agent that another layer defines is empty here.
struct Agent {
    std::vector<PatternText> executables, workspaces, state;
    std::vector<TrustAnchor> trust;        // any of these; empty: none is asked for
    std::vector<std::string> environment;  // names that are handed through; a final `*` stands for the rest
    Position at;
};

enum class OnFail : std::uint8_t { refuse_credentials, freeze, end_session };  // in order of strictness
struct Posture {
    std::vector<std::string> require;  // check names, "disk.encrypted"
    std::optional<std::chrono::seconds> max_age;
    std::optional<OnFail> on_fail;
};
// What a document may leave out of a broker that another layer describes is empty here. One with an endpoint
// has an audience.
struct Broker {
    std::string audience, token_endpoint, challenge_endpoint;
    std::optional<std::chrono::seconds> max_ttl;
    std::vector<std::string> resources;  // patterns over resource names
    Position at;
};
struct Consent {
    std::optional<std::chrono::seconds> timeout, max_lifespan;
    std::optional<std::uint64_t> max_pending;
    std::optional<std::vector<std::string>> lifespans;  // once time session always
    std::optional<bool> scripted;
};
struct Limits {
    std::optional<std::uint64_t> memory, processes;  // bytes, number
    // Bytes that may leave: of a session, and of a session to one host.
    std::optional<std::uint64_t> upload, host_upload;
};
enum class OnFull : std::uint8_t { keep_going, end_session };  // in order of strictness
struct AuditSettings {
    std::optional<OnFull> on_full;
    std::optional<std::chrono::seconds> keep;
    std::optional<std::uint64_t> max_size;  // bytes
    std::vector<std::string> sinks;         // file otlp syslog kafka
};
struct Rollout {
    std::optional<double> share;      // of devices, 0 to 100 percent
    std::vector<std::string> groups;  // or the devices of these groups
};

struct Document {
    std::string file;  // as given to parse_document()
    std::string id;
    std::uint64_t version = 1;
    std::vector<std::string> extends;
    std::optional<std::int64_t> expires;  // seconds since 1970, UTC; compare with a clock of the caller's
    std::optional<Mode> mode;
    std::optional<Unenforceable> unenforceable;
    std::map<std::string, Agent> agents;
    std::vector<FileRule> files;
    std::vector<NetworkRule> network;
    std::vector<DlpRule> dlp;
    Posture posture;
    std::map<std::string, Broker> brokers;
    Consent consent;
    Limits limits;
    AuditSettings audit;
    std::optional<Rollout> rollout;
    // What is in order and yet hardly meant: a rule that another one of the document leaves without effect.
    std::vector<Diagnostic> warnings;
};

// `file_name` is only used in diagnostics. All errors that can be found are given, up to kMaxDiagnostics.
std::expected<Document, std::vector<Diagnostic>> parse_document(std::string_view text,
                                                                const std::string& file_name);

// The keys that each kind of object of a document knows, by the name of its definition in
// packaging/schemas/policy.schema.json ("document", "agent", "file_rule", …).
std::map<std::string, std::vector<std::string>> known_keys();

}  // namespace reeve::policy
