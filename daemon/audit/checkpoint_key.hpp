// Checkpoints and the device key. The JWS header's typ is of their own, so that no other token of the same
// key passes for a checkpoint, nor a checkpoint for another token.
#pragma once

#include <memory>

#include "attestation/key.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/verify.hpp"

namespace reeve::audit {

inline constexpr const char* kCheckpointType = "reeve-checkpoint+jws";

Sign sign_with(std::shared_ptr<const attestation::Signer> key);
CheckSignature check_with(attestation::jose::PublicKey key);

}  // namespace reeve::audit
