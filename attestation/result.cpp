#include "attestation/result.hpp"

namespace reeve::attestation {

std::string_view word(Fault fault) {
    switch (fault) {
        case Fault::kMalformed:
            return "malformed";
        case Fault::kTooLarge:
            return "too_large";
        case Fault::kCritical:
            return "header_critical";
        case Fault::kAlgorithm:
            return "algorithm_refused";
        case Fault::kType:
            return "type_wrong";
        case Fault::kKey:
            return "key_refused";
        case Fault::kSignature:
            return "signature_bad";
        case Fault::kClock:
            return "clock_invalid";
        case Fault::kRandom:
            return "random_failed";
        case Fault::kArgument:
            return "argument_invalid";
        case Fault::kNoSuchFile:
            return "no_such_file";
        case Fault::kFileExists:
            return "file_exists";
        case Fault::kFileUntrusted:
            return "file_untrusted";
        case Fault::kFile:
            return "file_failed";
    }
    return "unknown";
}

std::string Error::text() const {
    return std::string(word(fault)) + ": " + detail;
}

}  // namespace reeve::attestation
