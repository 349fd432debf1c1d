#include "daemon/api/audit_tools.hpp"

#include <fcntl.h>

#include "attestation/jose/jwk.hpp"
#include "daemon/api/calls.hpp"
#include "daemon/api/client_fds.hpp"
#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/checkpoint_key.hpp"
#include "daemon/audit/verify.hpp"

namespace reeve::api {
namespace {

using platform::Fd;

constexpr std::size_t kMaxKey = 64 * 1024, kMaxCheckpoint = 64 * 1024;

platform::Result<Fd> open_existing(const std::string& path) {
    Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return platform::os_error("open", path, errno,
                                  errno == EACCES ? "run it as root, or as a member of reeve-audit" : "");
    return directory;
}

platform::Result<audit::CheckSignature> read_key(const std::string& path) {
    auto text = read_text(path, kMaxKey);
    if (!text) return std::unexpected(text.error());
    auto keys = attestation::jose::parse_jwks(*text);
    if (!keys) return platform::error("read the public key", path, keys.error().text());
    if (keys->size() != 1)
        return platform::error("read the public key", path,
                               "it holds " + std::to_string(keys->size()) + " usable keys",
                               "name a file with the one key of the device that wrote the log");
    return audit::check_with(keys->front());
}

// What is there in the state directory may be missing; what the caller named may not.
platform::Status add_key(const AuditPlaces& places, audit::VerifyOptions& options, AuditVerdict& verdict) {
    const bool named = !places.key.empty();
    if (!named && places.state.empty()) {
        verdict.missing.emplace_back("signatures of checkpoints: no key was named (--jwk)");
        return {};
    }
    auto check = read_key(named ? places.key : places.state + "/" + kPublicKeyFile);
    if (check) {
        options.check = std::move(*check);
        return {};
    }
    if (named || (check.error().code != ENOENT && check.error().code != EACCES))
        return std::unexpected(check.error());
    verdict.missing.push_back("signatures of checkpoints: " + check.error().text());
    return {};
}

platform::Status add_checkpoint(const AuditPlaces& places, audit::VerifyOptions& options,
                                AuditVerdict& verdict) {
    if (!places.checkpoint.empty()) {
        auto text = read_text(places.checkpoint, kMaxCheckpoint);
        if (!text) return std::unexpected(text.error());
        while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
        options.checkpoint = std::move(*text);
        return {};
    }
    std::string why = "no checkpoint was named (--checkpoint)";
    if (!places.state.empty()) {
        auto state = open_existing(places.state);
        if (!state && state.error().code != ENOENT && state.error().code != EACCES)
            return std::unexpected(state.error());
        if (state) {
            auto loaded = audit::load_checkpoint(state->get());
            if (!loaded && loaded.error().code != EACCES) return std::unexpected(loaded.error());
            if (loaded && *loaded) {
                options.checkpoint = **loaded;
                return {};
            }
            why = loaded ? "there is none in " + places.state : loaded.error().text();
        } else {
            why = state.error().text();
        }
    }
    verdict.missing.push_back("whether the end of the log was cut off: " + why);
    return {};
}

Json json_of(const audit::VerifyReport& report) {
    Json json{{"ok", report.ok()},
              {"segments", report.segments},
              {"records", report.records},
              {"bytes", report.bytes},
              {"first_seq", report.first_seq},
              {"last_seq", report.last_seq},
              {"last_chain", report.last_chain},
              {"checkpoints", report.checkpoints},
              {"unsigned_checkpoints", report.unsigned_checkpoints},
              {"signatures_checked", report.signatures_checked},
              {"gaps", report.gaps},
              {"lost", report.lost},
              {"seen", report.seen},
              {"recorded", report.recorded},
              {"coalesced", report.coalesced},
              {"live", report.live}};
    if (!report.ok()) {
        json["problem"] = audit::word(report.problem);
        json["file"] = report.file;
        json["line"] = report.line;
        json["seq"] = report.seq;
        json["what"] = report.what;
    }
    return json;
}

}  // namespace

platform::Result<AuditVerdict> verify_log(const AuditPlaces& places) {
    auto log = open_existing(places.log);
    if (!log) return std::unexpected(log.error());
    AuditVerdict verdict;
    audit::VerifyOptions options;
    if (auto s = add_key(places, options, verdict); !s) return std::unexpected(s.error());
    // Before the log is read: a daemon that is at work only writes later ones.
    if (auto s = add_checkpoint(places, options, verdict); !s) return std::unexpected(s.error());
    const auto report = audit::verify(log->get(), options);
    if (!report) return std::unexpected(report.error());
    verdict.ok = report->ok();
    verdict.text = report->text();
    verdict.json = json_of(*report);
    verdict.json["not_checked"] = verdict.missing;
    return verdict;
}

}  // namespace reeve::api
