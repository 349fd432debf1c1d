// The eleven steps of the verifier, each on its own, and the state that they hand on. For verifier.cpp and the
// tests of the steps alone; everybody else has verifier.hpp, whose table says what each step is about.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "attestation/verifier.hpp"

namespace reeve::attestation::steps {

// One of the two tokens, as far as the steps have come with it.
struct Token {
    const char* what;          // "evidence" or "proof", for details
    std::string_view type;     // what "typ" has to be
    std::string_view compact;  // as presented
    jose::UntrustedHeader header{};
    std::string payload{};    // from step signature on
    nlohmann::json claims{};  // from step signature on
    Time until{};             // from step times on: when it is not accepted any more
};

// One verification. Borrows all that it is made from.
struct Appraisal {
    const VerifierOptions& options;
    const KeyResolver& keys;
    ReplayStore& replay;
    ChallengeStore& challenges;
    Time now;
    Token evidence;
    std::optional<Token> proof;

    std::optional<jose::PublicKey> key{};  // the signer, from step signature on
    Time issued{}, expires{};              // from step times on
    Claims posture{};                      // from step profile on
};

Appraisal begin(const Presented& presented, const VerifierOptions& options, const KeyResolver& keys,
                ReplayStore& replay, ChallengeStore& challenges, Time now);

// Why it is refused; nothing where the step is passed.
using Objection = std::optional<Rejection>;

struct NumberedStep {
    Step step;
    Objection (*passes)(Appraisal&);
};

// All of them, in order.
std::span<const NumberedStep> all();

// Takes the steps in turn and stops at the first objection.
Objection run(Appraisal& appraisal, std::span<const NumberedStep> steps);

Objection algorithm(Appraisal& appraisal);
Objection type(Appraisal& appraisal);
Objection size(Appraisal& appraisal);
Objection signature(Appraisal& appraisal);
Objection audience(Appraisal& appraisal);
Objection times(Appraisal& appraisal);
Objection challenge(Appraisal& appraisal);
Objection replay(Appraisal& appraisal);
Objection binding(Appraisal& appraisal);
Objection profile(Appraisal& appraisal);
Objection policy(Appraisal& appraisal);

// For the .cpp files of the steps.
Rejection no(Step step, std::string_view reason, std::string detail);
// Hostile text for a detail: in quotes, at most 80 characters of it, all but printable ASCII as \xNN.
std::string shown(std::string_view text);
// A member of a payload that is a string; nothing otherwise.
std::optional<std::string> text_of(const nlohmann::json& claims, const char* member);

}  // namespace reeve::attestation::steps
