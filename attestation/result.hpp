// What a call of attestation/ that can fail returns. Rejections by the verifier have a type of their own
// (verifier.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace reeve::attestation {

enum class Fault {
    kMalformed,      // not the syntax that the RFC gives, or a member of the wrong type
    kTooLarge,       // over a size, depth or count bound
    kCritical,       // the JOSE header carries "crit": nothing critical is understood here
    kAlgorithm,      // "alg" is not on the caller's list, or does not fit the key's type
    kType,           // "typ" is another
    kKey,            // a key that is not on its curve, of another kind, or unusable
    kSignature,      // the signature has the wrong form or does not verify
    kClock,          // the clock is plainly wrong; nothing is signed
    kRandom,         // no randomness was to be had
    kArgument,       // the caller asked for what cannot be
    kNoSuchFile,     // the key file does not exist
    kFileExists,     // the key file exists already
    kFileUntrusted,  // a link, another owner, another mode: the key file is not to be used
    kFile,           // the system refused; the detail has the errno text
};

// The fixed word for logs and reasons: "malformed", "signature_bad", "clock_invalid", …
std::string_view word(Fault fault);

struct Error {
    Fault fault;
    std::string detail;  // a phrase without a final stop; never holds key material

    std::string text() const;  // "signature_bad: <detail>"
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

inline std::unexpected<Error> fail(Fault fault, std::string detail) {
    return std::unexpected(Error{fault, std::move(detail)});
}

// Wall-clock time. Written into tokens as whole seconds, rounded down.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;

}  // namespace reeve::attestation
