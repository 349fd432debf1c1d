// Checkpoints and the device key. The JWS header's typ is of their own, so that no other token of the same
// key passes for a checkpoint, nor a checkpoint for another token.
#pragma once

#include <memory>

#include "attestation/key.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/verify.hpp"

namespace reeve::audit {

inline constexpr const char* kCheckpointType = "reeve-checkpoint+jws";

// Signs no payload whose time is before 2025, nor one without a time: the error's `why` is "clock_invalid",
// the word that the record of the checkpoint then says in details.unsigned.
Sign sign_with(std::shared_ptr<const attestation::Signer> key);
CheckSignature check_with(attestation::jose::PublicKey key);

}  // namespace reeve::audit
