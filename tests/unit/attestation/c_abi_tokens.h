/* What c_abi_test.c needs of the C++ side: a device that signs, as C sees it. */
#ifndef REEVE_C_ABI_TOKENS_H
#define REEVE_C_ABI_TOKENS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Tokens for "https://broker.example" that are good now, by a key of this process; the caller frees both. */
struct test_tokens {
    char *evidence, *proof;
};
struct test_tokens test_tokens_make(const char* challenge);

/* The public JWK and the thumbprint of that key; they belong to the process. */
const char* test_jwk(void);
const char* test_thumbprint(void);

/* A lookup that throws a C++ exception through the library. */
int test_throwing_lookup(void* context, const char* kid, char* jwk, size_t jwk_size);

#ifdef __cplusplus
}
#endif

#endif
