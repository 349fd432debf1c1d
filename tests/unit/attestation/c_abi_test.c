/* The C ABI, from C as brokers have it: C89, nothing but the header and the shared library. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attestation/reeve_attestation.h"
#include "tests/unit/attestation/c_abi_tokens.h"

static int failures = 0;

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            ++failures;                                                             \
        }                                                                           \
    } while (0)

#define CHALLENGE "a challenge that the broker keeps"
#define AUDIENCE "\"audience\":\"https://broker.example\""

static int contains(const char* text, const char* part) {
    return text != NULL && strstr(text, part) != NULL;
}

/* A verifier that knows the device, with more options: ",\"skew\":5", or "". */
static reeve_verifier* make(const char* more) {
    char options[2048];
    reeve_verifier* verifier = NULL;
    char* error = NULL;
    int size = snprintf(options, sizeof options, "{" AUDIENCE ",\"keys\":%s%s}", test_jwk(), more);
    if (reeve_verifier_new(options, (size_t)size, NULL, NULL, &verifier, &error) != REEVE_OK)
        fprintf(stderr, "%s: %s\n", options, error);
    CHECK(verifier != NULL && error == NULL);
    return verifier;
}

static int verify(reeve_verifier* verifier, struct test_tokens tokens, const char* challenge, char** result) {
    return reeve_verifier_verify(verifier, tokens.evidence, strlen(tokens.evidence), tokens.proof,
                                 tokens.proof == NULL ? 0 : strlen(tokens.proof), challenge,
                                 challenge == NULL ? 0 : strlen(challenge), result);
}

static void free_tokens(struct test_tokens tokens) {
    free(tokens.evidence);
    free(tokens.proof);
}

/* Verifies tokens made for CHALLENGE by a verifier with these options, and looks into the result. */
static void expect(const char* more, int code, const char* part) {
    reeve_verifier* verifier = make(more);
    struct test_tokens tokens = test_tokens_make(CHALLENGE);
    char* result = NULL;
    CHECK(verify(verifier, tokens, CHALLENGE, &result) == code);
    if (!contains(result, part)) fprintf(stderr, "expected %s in %s\n", part, result);
    CHECK(contains(result, part));
    reeve_string_free(result);
    free_tokens(tokens);
    reeve_verifier_free(verifier);
}

static void test_results(void) {
    char issuer[128];
    snprintf(issuer, sizeof issuer, "\"thumbprint\":\"%s\"", test_thumbprint());
    expect("", REEVE_OK, "\"verified\":true");
    expect("", REEVE_OK, issuer);
    expect("", REEVE_OK, "\"claims\":{\"aud\":\"https://broker.example\"");
    expect(",\"require\":[\"firmware.secure-boot\"],\"max_age\":60,\"skew\":0,\"proof\":\"required\"",
           REEVE_OK, "\"proved\":true");
    expect(",\"require\":[\"boot.lockdown\",\"disk.encrypted\"]", REEVE_REFUSED,
           "\"checks\":[\"boot.lockdown check_not_success\"]");
    expect(",\"require\":[\"boot.lockdown\"]", REEVE_REFUSED, "\"name\":\"policy\"");
    expect(",\"proof_audience\":\"https://issuer.example\"", REEVE_REFUSED, "\"reason\":\"audience_wrong\"");
    expect(",\"algorithms\":[\"EdDSA\"]", REEVE_REFUSED, "\"step\":1");
    expect(",\"max_age\":0,\"skew\":0,\"require\":[\"disk.encrypted\"]", REEVE_REFUSED, "collection_stale");
}

static void test_challenges(void) {
    reeve_verifier* verifier = make(",\"challenge_capacity\":2");
    char *challenge = NULL, *second = NULL, *third = NULL, *result = NULL;
    struct test_tokens tokens;
    CHECK(reeve_verifier_challenge(verifier, &challenge) == REEVE_OK);
    CHECK(challenge != NULL && strlen(challenge) == 43);
    CHECK(reeve_verifier_challenge(verifier, &second) == REEVE_OK);
    CHECK(reeve_verifier_challenge(verifier, &third) == REEVE_BUSY && third == NULL);
    tokens = test_tokens_make(challenge);
    CHECK(verify(verifier, tokens, NULL, &result) == REEVE_OK);
    reeve_string_free(result);
    CHECK(verify(verifier, tokens, NULL, &result) == REEVE_REFUSED);
    CHECK(contains(result, "\"reason\":\"challenge_unknown\""));
    reeve_string_free(result);
    /* The broker that keeps challenges itself and forgets to: the ids are remembered. */
    CHECK(verify(verifier, tokens, challenge, &result) == REEVE_REFUSED);
    CHECK(contains(result, "\"reason\":\"replayed\""));
    reeve_string_free(result);
    CHECK(verify(verifier, tokens, second, &result) == REEVE_REFUSED);
    reeve_string_free(result);
    CHECK(verify(verifier, tokens, "", &result) == REEVE_REFUSED);
    reeve_string_free(result);
    reeve_string_free(challenge);
    reeve_string_free(second);
    free_tokens(tokens);
    reeve_verifier_free(verifier);
}

static void test_without_proof(void) {
    reeve_verifier *strict = make(""), *lax = make(",\"proof\":\"optional\"");
    struct test_tokens tokens = test_tokens_make(CHALLENGE), alone;
    char* result = NULL;
    alone.evidence = tokens.evidence;
    alone.proof = NULL;
    CHECK(verify(strict, alone, CHALLENGE, &result) == REEVE_REFUSED);
    CHECK(contains(result, "\"reason\":\"proof_missing\""));
    reeve_string_free(result);
    CHECK(verify(lax, alone, CHALLENGE, &result) == REEVE_OK);
    CHECK(contains(result, "\"proved\":false"));
    reeve_string_free(result);
    free_tokens(tokens);
    reeve_verifier_free(strict);
    reeve_verifier_free(lax);
}

static void test_options(void) {
    static const char* const wrong[][2] = {
        {"", "not JSON"},
        {"[]", "not an object"},
        {"{}", "\"audience\" is missing"},
        {"{\"audience\":\"\"}", "\"audience\" is not a string"},
        {"{\"audience\":\"a\",\"audience\":\"b\"}", "twice"},
        {"{\"audience\":\"a\"}", "neither option \"keys\" nor a lookup"},
        {"{\"audience\":\"a\",\"keys\":{\"keys\":[]}}", "\"keys\""},
        {"{\"audience\":\"a\",\"keys\":[]}", "\"keys\""},
        {"{\"audience\":\"a\",\"keys\":{\"kty\":\"oct\",\"k\":\"AA\"}}", "\"keys\""},
        {"{\"audience\":\"a\",\"requires\":[\"disk.encrypted\"]}", "no option is called \"requires\""},
        {"{\"audience\":\"a\",\"require\":\"disk.encrypted\"}", "\"require\""},
        {"{\"audience\":\"a\",\"require\":[\"disk\"]}", "\"require\""},
        {"{\"audience\":\"a\",\"algorithms\":[\"none\"]}", "\"algorithms\""},
        {"{\"audience\":\"a\",\"algorithms\":[]}", "\"algorithms\""},
        {"{\"audience\":\"a\",\"proof\":false}", "\"proof\""},
        {"{\"audience\":\"a\",\"skew\":301}", "0 to 300"},
        {"{\"audience\":\"a\",\"skew\":-1}", "0 to 300"},
        {"{\"audience\":\"a\",\"max_age\":1.5}", "\"max_age\""},
        {"{\"audience\":\"a\",\"replay_capacity\":0}", "\"replay_capacity\""},
        {"{\"audience\":\"a\",\"challenge_capacity\":1e30}", "\"challenge_capacity\""},
        {"{\"audience\":\"a\",\"challenge_lifetime\":3601}", "\"challenge_lifetime\""}};
    size_t i;
    for (i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
        reeve_verifier* verifier = (reeve_verifier*)1;
        char* error = NULL;
        CHECK(reeve_verifier_new(wrong[i][0], strlen(wrong[i][0]), NULL, NULL, &verifier, &error) ==
              REEVE_BAD_ARGUMENT);
        CHECK(verifier == NULL);
        if (!contains(error, wrong[i][1])) fprintf(stderr, "%s: %s\n", wrong[i][0], error);
        CHECK(contains(error, wrong[i][1]));
        reeve_string_free(error);
    }
}

static void test_null_pointers(void) {
    reeve_verifier* verifier = make("");
    char* text = (char*)1;
    CHECK(reeve_verifier_new(NULL, 0, NULL, NULL, NULL, NULL) == REEVE_BAD_ARGUMENT);
    CHECK(reeve_verifier_new("{}", 2, NULL, NULL, NULL, &text) == REEVE_BAD_ARGUMENT && text == NULL);
    CHECK(reeve_verifier_challenge(NULL, &text) == REEVE_BAD_ARGUMENT && text == NULL);
    CHECK(reeve_verifier_challenge(verifier, NULL) == REEVE_BAD_ARGUMENT);
    CHECK(reeve_verifier_verify(NULL, "", 0, NULL, 0, NULL, 0, &text) == REEVE_BAD_ARGUMENT && text == NULL);
    CHECK(reeve_verifier_verify(verifier, NULL, 0, NULL, 0, NULL, 0, &text) == REEVE_BAD_ARGUMENT);
    CHECK(reeve_verifier_verify(verifier, "", 0, NULL, 0, NULL, 0, NULL) == REEVE_BAD_ARGUMENT);
    CHECK(reeve_verifier_verify(verifier, "", 0, NULL, 0, NULL, 0, &text) == REEVE_REFUSED);
    CHECK(contains(text, "\"reason\":\"header_malformed\""));
    reeve_string_free(text);
    reeve_string_free(NULL);
    reeve_verifier_free(NULL);
    reeve_verifier_free(verifier);
    CHECK(contains(reeve_attestation_version(), "."));
}

enum answer { KNOWN, UNKNOWN, NOT_ENDED, ANOTHER, NOTHING };

static int lookup(void* context, const char* kid, char* jwk, size_t jwk_size) {
    CHECK(strcmp(kid, test_thumbprint()) == 0);
    switch (*(enum answer*)context) {
        case KNOWN:
            CHECK(strlen(test_jwk()) < jwk_size);
            memcpy(jwk, test_jwk(), strlen(test_jwk()) + 1);
            return 0;
        case NOT_ENDED:
            memset(jwk, 'x', jwk_size);
            return 0;
        case ANOTHER: /* RFC 8037 appendix A.2 */
            snprintf(jwk, jwk_size,
                     "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_"
                     "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
            return 0;
        case NOTHING:
            return 0;
        default:
            return 1;
    }
}

static void test_lookup(void) {
    static const struct {
        enum answer answer;
        int code;
        const char* part;
    } cases[] = {{KNOWN, REEVE_OK, "\"verified\":true"},
                 {UNKNOWN, REEVE_REFUSED, "key_unknown"},
                 {NOT_ENDED, REEVE_REFUSED, "key_unknown"},
                 {ANOTHER, REEVE_REFUSED, "key_algorithm_mismatch"},
                 {NOTHING, REEVE_REFUSED, "key_unknown"}};
    const char options[] = "{" AUDIENCE "}";
    struct test_tokens tokens = test_tokens_make(CHALLENGE);
    reeve_verifier* verifier = NULL;
    char* result = NULL;
    size_t i;
    for (i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        enum answer answer = cases[i].answer;
        CHECK(reeve_verifier_new(options, strlen(options), lookup, &answer, &verifier, NULL) == REEVE_OK);
        CHECK(verify(verifier, tokens, CHALLENGE, &result) == cases[i].code);
        CHECK(contains(result, cases[i].part));
        reeve_string_free(result);
        reeve_verifier_free(verifier);
    }
    CHECK(reeve_verifier_new(options, strlen(options), test_throwing_lookup, NULL, &verifier, NULL) ==
          REEVE_OK);
    CHECK(verify(verifier, tokens, CHALLENGE, &result) == REEVE_INTERNAL && result == NULL);
    reeve_verifier_free(verifier);
    free_tokens(tokens);
}

struct race {
    reeve_verifier* verifier;
    struct test_tokens tokens;
    int verified;
};

static void* run_race(void* context) {
    struct race* race = context;
    int i;
    for (i = 0; i < 20; ++i) {
        char* result = NULL;
        if (verify(race->verifier, race->tokens, NULL, &result) == REEVE_OK)
            __atomic_add_fetch(&race->verified, 1, __ATOMIC_SEQ_CST);
        reeve_string_free(result);
    }
    return NULL;
}

/* Many threads, one challenge: one of them verifies. */
static void test_threads(void) {
    pthread_t threads[4];
    struct race race;
    char* challenge = NULL;
    size_t i;
    race.verifier = make("");
    race.verified = 0;
    CHECK(reeve_verifier_challenge(race.verifier, &challenge) == REEVE_OK);
    race.tokens = test_tokens_make(challenge);
    for (i = 0; i < 4; ++i) CHECK(pthread_create(&threads[i], NULL, run_race, &race) == 0);
    for (i = 0; i < 4; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(race.verified == 1);
    reeve_string_free(challenge);
    free_tokens(race.tokens);
    reeve_verifier_free(race.verifier);
}

int main(void) {
    test_results();
    test_challenges();
    test_without_proof();
    test_options();
    test_null_pointers();
    test_lookup();
    test_threads();
    if (failures == 0) printf("the C ABI holds\n");
    return failures == 0 ? 0 : 1;
}
