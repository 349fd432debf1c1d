/* Verifies the posture evidence of devices with Reeve, for brokers that are not written in C++. The library is
 * libreeve-attestation; its eleven steps, their reasons and what they mean are in docs/for-brokers.md.
 *
 * Not covered: HTTP, enrolment, and making tokens. What a verifier remembers (challenges, token ids) is in its
 * own memory: a broker of several processes hands each device to one of them, or keeps the challenges itself.
 *
 * Nothing is thrown over this boundary, no state is shared between verifiers, and all functions may be called
 * from any thread, on one verifier also at once; reeve_verifier_free alone needs it for itself. Strings that
 * are handed in are copied where they are kept; those handed out end with a NUL and belong to the caller, who
 * gives them to reeve_string_free. */
#ifndef REEVE_ATTESTATION_H
#define REEVE_ATTESTATION_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define REEVE_API __attribute__((visibility("default")))
#else
#define REEVE_API
#endif

typedef struct reeve_verifier reeve_verifier;

/* What the functions return. Anything but REEVE_OK means: no credential. */
enum {
    REEVE_OK = 0,            /* verified; or done */
    REEVE_REFUSED = 1,       /* does not verify; the result says at which step and why */
    REEVE_BAD_ARGUMENT = -1, /* a null pointer, an option that is wrong */
    REEVE_BUSY = -2,         /* as many challenges wait as there may be: answer 503 with Retry-After */
    REEVE_NO_MEMORY = -3,    /* nothing was verified */
    REEVE_INTERNAL = -4      /* nothing was verified */
};

/* Finds a key in the broker's own records: writes the device's public JWK for `kid` (a thumbprint by RFC 7638:
 * 43 characters of base64url) into jwk, with a NUL, and returns 0; any other value for a key that is not known
 * or not to be trusted any more. Called on the thread that verifies. */
typedef int (*reeve_key_lookup)(void* context, const char* kid, char* jwk, size_t jwk_size);

/* Makes a verifier. options is a JSON object; what it does not know is an error:
 *   "audience"            string, required: the "aud" of evidence, byte for byte
 *   "proof_audience"      string: the "aud" of proofs; the same as "audience" if left out
 *   "proof"               "required" (default) or "optional"
 *   "keys"                a JWK Set or JWK of the devices that are known
 *   "algorithms"          of "ES256" and "EdDSA"; both if left out
 *   "require"             list of checks that must be success, such as "disk.encrypted"
 *   "max_age"             seconds since each required check was made, 0 to 31622400; any if left out
 *   "skew"                seconds that clocks may differ, 0 to 300; 30 if left out
 *   "replay_capacity"     token ids that are remembered, 1 to 100000000; 1000000 if left out (150 bytes each)
 *   "challenge_capacity"  challenges that may wait, 1 to 100000000; 100000 if left out (250 bytes each)
 *   "challenge_lifetime"  seconds that a challenge is good, 1 to 3600; 120 if left out
 * There must be "keys" or a lookup; with both, the keys come first. On an error *verifier is null and *error,
 * unless error is null, says what is wrong. */
REEVE_API int reeve_verifier_new(const char* options, size_t options_size, reeve_key_lookup lookup,
                                 void* lookup_context, reeve_verifier** verifier, char** error);

/* A new challenge, which this verifier remembers until it is used or too old: 43 characters. */
REEVE_API int reeve_verifier_challenge(reeve_verifier* verifier, char** challenge);

/* Verifies evidence and, where there is one (proof is not null), its proof of possession.
 *
 * challenge: what the broker gave this device, and has kept itself; that it is used once is then up to the
 * broker. Null: one that reeve_verifier_challenge gave out, good once.
 *
 * Sets *result to a JSON object if it returns REEVE_OK or REEVE_REFUSED, to null otherwise:
 *   {"verified": true, "thumbprint": "...", "jti": "...", "issued": 1772487590, "expires": 1772487710,
 *    "proved": true, "claims": {the payload of the evidence}}
 *   {"verified": false, "step": 5, "name": "audience", "reason": "audience_wrong", "detail": "...",
 *    "checks": ["disk.encrypted check_not_success"]}      checks: at step 11 alone, otherwise empty */
REEVE_API int reeve_verifier_verify(reeve_verifier* verifier, const char* evidence, size_t evidence_size,
                                    const char* proof, size_t proof_size, const char* challenge,
                                    size_t challenge_size, char** result);

/* Both take null. */
REEVE_API void reeve_verifier_free(reeve_verifier* verifier);
REEVE_API void reeve_string_free(char* string);

/* "0.1.0". Belongs to the library. */
REEVE_API const char* reeve_attestation_version(void);

#ifdef __cplusplus
}
#endif

#endif
