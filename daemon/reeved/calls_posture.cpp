// posture, attest, device-key.
#include "attestation/evidence.hpp"
#include "attestation/proof.hpp"
#include "daemon/posture/claims.hpp"
#include "daemon/posture/verdict.hpp"
#include "daemon/reeved/services.hpp"

namespace reeve::daemon {
namespace {

using platform::error;
using platform::Result;

constexpr std::chrono::seconds kUsualAge{300};
// The device key is a file: root could copy it, and whoever relies on a token is told so.
constexpr const char* kTier = "software";

platform::Error from(const attestation::Error& failed, const char* tried) {
    return error(tried, "", failed.detail,
                 std::string("reason: ") + std::string(attestation::word(failed.fault)))
        .error();
}

// The home is of the person who asks; root asks about the device alone. `take` is not called once the client is gone.
void collect(Services& services, const Client& client, std::chrono::seconds max_age,
             std::function<void(const Client&, const posture::Posture&)> take) {
    auto collected = [weak = std::weak_ptr(client), take = std::move(take)](const posture::Posture& posture) {
        if (const auto caller = weak.lock()) take(caller, posture);
    };
    if (client->peer().is_root()) return services.posture.collect({}, max_age, std::move(collected));
    services.people.find(client->peer().uid, [&services, max_age, collected](const auto& person) {
        services.posture.collect({.home = person ? person->home : std::string()}, max_age, collected);
    });
}

struct Attestation {
    std::string audience, challenge;
    bool with_proof = false;
    std::optional<session::Facts> session;
};

Result<Attestation> wanted(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call attest");
    members.string("call");
    Attestation attestation{.audience = members.required_string("audience"),
                            .challenge = members.string("challenge"),
                            .with_proof = false,
                            .session = {}};
    const std::string id = members.string("session");
    if (auto s = members.finish(); !s) return std::unexpected(s.error());
    attestation.with_proof = client->peer().is_root();
    if (!id.empty()) {
        if (!client->peer().is_root())
            return error("attest the session", id, "a person's evidence is about the device alone",
                         "leave --session out");
        const auto* const session = services.sessions.find(id);
        if (session == nullptr)
            return error("find the session", id, "there is none of that id", "reeve ps lists them");
        attestation.session = session->facts();
    }
    if (attestation.challenge.empty()) {
        // For looking at: a broker gives its own.
        auto random = attestation::random_id(attestation::system_sources().random);
        if (!random) return std::unexpected(from(random.error(), "make a challenge"));
        attestation.challenge = std::move(*random);
    }
    return attestation;
}

Result<attestation::Claims> claims_of(const Services& services, const Attestation& attestation,
                                      const posture::Posture& posture) {
    auto boot = posture::boot_of(services.posture.files());
    if (!boot) return std::unexpected(boot.error());
    const audit::Position position = services.log.position();
    const auto& policies = *services.sessions.policies();
    attestation::Claims claims{
        .session = {},
        .boot_seed = boot->seed,
        .uptime = boot->uptime,
        .version = REEVE_VERSION,
        .checks = posture::claimed(posture),
        .policy = policies.id(),
        .policy_sha256 = policies.sha256(),
        .agent = {},
        .audit = attestation::AuditClaim{.seq = position.seq, .chain = position.chain}};
    if (attestation.session) {
        const session::Facts& facts = *attestation.session;
        claims.session = facts.session;
        claims.policy = facts.policy;
        if (!facts.agent_sha256.empty())
            claims.agent = attestation::AgentClaim{
                .id = facts.agent, .sha256 = facts.agent_sha256, .trust = facts.trust};
    }
    return claims;
}

Result<api::Json> attest(Services& services, const Attestation& attestation,
                         const posture::Posture& posture) {
    auto claims = claims_of(services, attestation, posture);
    if (!claims) return std::unexpected(claims.error());
    const auto sources = attestation::system_sources();
    auto evidence = attestation::make_evidence(
        *claims, {.audience = attestation.audience, .challenge = attestation.challenge}, *services.key,
        sources);
    if (!evidence) return std::unexpected(from(evidence.error(), "sign evidence"));
    api::Json result{{"evidence", *evidence},
                     {"challenge", attestation.challenge},
                     {"jwk", api::Json::parse(services.key->public_key().jwk())},
                     {"tier", kTier}};
    if (attestation.with_proof) {
        auto proof = attestation::make_proof(
            {.audience = attestation.audience, .challenge = attestation.challenge, .evidence = *evidence},
            *services.key, sources);
        if (!proof) return std::unexpected(from(proof.error(), "sign the proof of possession"));
        result["pop"] = *proof;
    }
    return result;
}

void record(Services& services, const Peer& peer, const Attestation& attestation) {
    const std::array details{audit::Detail{"audience", attestation.audience},
                             audit::Detail{"caller_uid", std::uint64_t{peer.uid}},
                             audit::Detail{"proof", attestation.with_proof}};
    services.log.append({.action = audit::Action::kAttestationSigned,
                         .resource = attestation.session ? std::string_view(attestation.session->session)
                                                         : std::string_view("device"),
                         .resource_type = audit::ResourceType::kDevice,
                         .outcome = audit::Outcome::kAllowed,
                         .details = details});
}

}  // namespace

void call_posture(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call posture");
    members.string("call");
    const bool fresh = members.boolean("fresh");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    const auto require = services.sessions.policies()->settings().posture.require;
    collect(services, client, fresh ? std::chrono::seconds(0) : kUsualAge,
            [require](const Client& caller, const posture::Posture& posture) {
                const auto verdict = posture::judge(posture, require);
                api::Json requirements = api::Json::array();
                for (const auto& requirement : verdict.requirements)
                    requirements.push_back(
                        {{"id", requirement.id}, {"met", requirement.met}, {"reason", requirement.reason}});
                caller->done({{"checks", api::Json::parse(posture::to_json(posture))},
                              {"compliant", verdict.compliant},
                              {"requirements", std::move(requirements)},
                              {"table", posture::to_table(posture, verdict)}});
            });
}

void call_attest(Services& services, const Client& client, const api::Json& body) {
    auto attestation = wanted(services, client, body);
    if (!attestation) return client->fail(attestation.error());
    const auto age = services.sessions.policies()->settings().posture.max_age.value_or(kUsualAge);
    collect(services, client, age,
            [&services, attestation = *attestation](const Client& caller, const posture::Posture& posture) {
                auto result = attest(services, attestation, posture);
                if (!result) return caller->fail(result.error());
                record(services, caller->peer(), attestation);
                caller->done(std::move(*result));
            });
}

void call_device_key(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call device-key");
    members.string("call");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    client->done({{"jwk", api::Json::parse(services.key->public_key().jwk())},
                  {"thumbprint", services.key->thumbprint()},
                  {"tier", kTier}});
}

}  // namespace reeve::daemon
