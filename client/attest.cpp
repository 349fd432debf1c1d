// reeve attest, reeve verify.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>
#include <sstream>

#include "attestation/jose/base64url.hpp"
#include "attestation/verifier.hpp"
#include "client/command.hpp"
#include "client/table.hpp"
#include "daemon/api/client_fds.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

using api::Json;
using api::terminal_safe;

constexpr std::size_t kMaxTokenFile = 64 * 1024, kMaxJwks = 1U << 20;

int attest(const std::string& audience, const std::string& challenge, const std::string& session, bool json) {
    Json request{{"call", "attest"}, {"audience", audience}};
    if (!challenge.empty()) request["challenge"] = challenge;
    if (!session.empty()) request["session"] = session;
    const auto answer = ask(request);
    if (!answer) return complain(answer.error());
    if (json) {
        print_json(*answer);
        return finish_output(kYes);
    }
    std::cout << terminal_safe(text_of(*answer, "evidence")) << '\n';
    if (const std::string proof = text_of(*answer, "pop"); !proof.empty())
        std::cout << terminal_safe(proof) << '\n';
    return finish_output(kYes);
}

struct VerifyOptions {
    std::string token, keys, audience, challenge, proof;
    bool json = false;
};

struct Tokens {
    std::string evidence, proof;
};

bool is_compact(const std::string& text) {
    return text.starts_with("ey") && text.find_first_of(" \t\r\n/{") == std::string::npos &&
           text.find('.') != std::string::npos;
}

// What `reeve attest` prints: the evidence, and in a second line its proof; or the object of its --json.
Tokens split(const std::string& text) {
    const Json object = Json::parse(text, nullptr, false);
    if (object.is_object()) return {text_of(object, "evidence"), text_of(object, "pop")};
    Tokens tokens;
    std::istringstream words(text);
    words >> tokens.evidence >> tokens.proof;
    return tokens;
}

platform::Result<Tokens> read_tokens(const VerifyOptions& options) {
    Tokens tokens{.evidence = options.token, .proof = {}};
    if (!is_compact(options.token)) {
        auto text = api::read_text(options.token, kMaxTokenFile);
        if (!text) return std::unexpected(text.error());
        tokens = split(*text);
    }
    if (!options.proof.empty()) {
        auto text = api::read_text(options.proof, kMaxTokenFile);
        if (!text) return std::unexpected(text.error());
        std::istringstream words(*text);
        words >> tokens.proof;
    }
    if (tokens.evidence.empty())
        return platform::error(
            "verify", options.token, "there is no token in it",
            "give the evidence of reeve attest: the token, a file with it, or - for standard input");
    return tokens;
}

std::expected<attestation::KeySet, api::CallError> find_keys(const std::string& file) {
    std::string text, from = "the daemon's device key";
    if (!file.empty()) {
        auto read = api::read_text(file, kMaxJwks);
        if (!read) return std::unexpected(api::CallError{read.error()});
        text = std::move(*read);
        from = file;
    } else {
        const auto answer = ask({{"call", "device-key"}});
        if (!answer) return std::unexpected(answer.error());
        const auto jwk = answer->find("jwk");
        if (jwk != answer->end()) text = jwk->is_string() ? jwk->get<std::string>() : jwk->dump();
    }
    auto keys = attestation::KeySet::from_json(text);
    if (keys) return std::move(*keys);
    return std::unexpected(
        api::CallError{platform::Error{.tried = "read the keys of", .on = from, .why = keys.error().text()}});
}

// What the token says of itself: only to be checked against itself, where no audience was given.
std::string untrusted_audience(const std::string& token) {
    const auto start = token.find('.');
    const auto end = token.find('.', start + 1);
    if (start == std::string::npos || end == std::string::npos) return "";
    const auto payload =
        attestation::jose::from_base64url(std::string_view(token).substr(start + 1, end - start - 1));
    if (!payload) return "";
    return text_of(Json::parse(*payload, nullptr, false), "aud");
}

int say_rejected(const attestation::Rejection& rejection, bool json) {
    if (json)
        print_json({{"verified", false},
                    {"step", static_cast<int>(rejection.step)},
                    {"name", attestation::name(rejection.step)},
                    {"reason", rejection.reason},
                    {"detail", rejection.detail},
                    {"checks", rejection.checks}});
    else
        std::cout << terminal_safe("does not verify: " + rejection.text()) << '\n';
    for (const std::string& check : rejection.checks)
        if (!json) std::cout << terminal_safe("  " + check) << '\n';
    return finish_output(kNo);
}

int say_verified(const attestation::VerifiedEvidence& evidence, const std::vector<std::string>& unchecked,
                 bool json) {
    if (json) {
        print_json({{"verified", true},
                    {"proved", evidence.proved()},
                    {"jkt", evidence.thumbprint()},
                    {"claims", Json::parse(evidence.payload(), nullptr, false)},
                    {"not_checked", unchecked}});
        return finish_output(kYes);
    }
    const attestation::Claims& claims = evidence.claims();
    const auto expires = std::chrono::duration_cast<std::chrono::seconds>(
        evidence.expires() - attestation::system_sources().clock());
    std::string line = "verifies: device " + evidence.thumbprint() + ", " +
                       (claims.session.empty() ? "no session" : "session " + claims.session) + ", policy " +
                       claims.policy;
    if (claims.agent) line += ", agent " + claims.agent->id + " (trust: " + claims.agent->trust + ")";
    line += evidence.proved() ? ", possession proved" : ", no proof of possession";
    line += ", for " + std::to_string(expires.count()) + " s more";
    std::cout << terminal_safe(line) << '\n';
    Table table({"CHECK", "RESULT", "REASON"});
    for (const attestation::Check& check : claims.checks)
        table.add({check.key(), std::string(attestation::word(check.outcome)), check.reason});
    std::cout << table.text();
    for (const std::string& one : unchecked) std::cerr << "reeve: not checked: " << one << '\n';
    return finish_output(kYes);
}

int verify(const VerifyOptions& options) {
    const auto tokens = read_tokens(options);
    if (!tokens) return complain(tokens.error(), kNo);
    const auto keys = find_keys(options.keys);
    if (!keys) return complain(keys.error());

    std::vector<std::string> unchecked;
    attestation::VerifierOptions how{.audience = options.audience};
    if (options.audience.empty()) {
        how.audience = untrusted_audience(tokens->evidence);
        unchecked.emplace_back("for whom it was made (--audience)");
    }
    how.proof = options.proof.empty() ? attestation::ProofRule::kOptional : attestation::ProofRule::kRequired;
    attestation::UncheckedReplay replay;
    const attestation::Verifier verifier(how, *keys, replay, attestation::system_sources().clock);
    attestation::Presented presented{.evidence = tokens->evidence, .proof = {}};
    if (!tokens->proof.empty()) presented.proof = tokens->proof;

    attestation::UncheckedChallenge any;
    attestation::ExpectedChallenge expected(options.challenge);
    attestation::ChallengeStore* challenges = &expected;
    if (options.challenge.empty()) {
        challenges = &any;
        unchecked.emplace_back("whether it answers a challenge (--challenge)");
    }
    const auto result = verifier.verify(presented, *challenges);
    if (!result) return say_rejected(result.error(), options.json);
    return say_verified(*result, unchecked, options.json);
}

}  // namespace

void add_attestation(CLI::App& app, Invocation& invocation) {
    struct Attest {
        std::string audience, challenge, session;
        bool json = false;
    };
    auto how = std::make_shared<Attest>();
    CLI::App* attests =
        app.add_subcommand("attest", "evidence of this device's state, signed for one audience");
    attests->add_option("--audience", how->audience, "who is to believe it")->type_name("URL")->required();
    attests->add_option("--challenge", how->challenge, "as that audience gave it")->type_name("TEXT");
    attests->add_option("--session", how->session, "about this session, not the device alone")
        ->type_name("SESSION");
    attests->add_flag("--json", how->json, "as JSON, with key and tier");
    attests->footer(
        "EXAMPLES\n"
        "  reeve attest --audience https://broker.acme.example --challenge \"$nonce\" --json\n"
        "  reeve attest --audience https://broker.acme.example | reeve verify -");
    attests->callback([how, &invocation] {
        invocation.action = [how] { return attest(how->audience, how->challenge, how->session, how->json); };
    });

    auto options = std::make_shared<VerifyOptions>();
    CLI::App* verifies = app.add_subcommand("verify", "whether evidence holds, and what it says");
    verifies
        ->add_option("token", options->token,
                     "the token, or a file (- for standard input) with what reeve attest printed")
        ->type_name("FILE")
        ->required();
    verifies
        ->add_option(
            "--jwks", options->keys,
            "the keys that may have signed it, a JWK or JWK Set in a file (this device's if not given); a "
            "URL is not fetched")
        ->type_name("FILE");
    verifies->add_option("--audience", options->audience, "must be for it")->type_name("URL");
    verifies->add_option("--challenge", options->challenge, "must answer it")->type_name("TEXT");
    verifies->add_option("--pop", options->proof, "the proof of possession, which must be there then")
        ->type_name("FILE");
    verifies->add_flag("--json", options->json, "as JSON");
    verifies->footer(
        "EXAMPLES\n"
        "  reeve verify --audience https://broker.acme.example evidence.jwt\n"
        "  curl -s https://verifier.acme.example/.well-known/jwks.json > keys && reeve verify --jwks keys - "
        "< token\n"
        "Gives 1 where it does not verify, with the step that it failed at.");
    verifies->callback(
        [options, &invocation] { invocation.action = [options] { return verify(*options); }; });
}

}  // namespace reeve::client
