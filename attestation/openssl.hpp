// Owners for what OpenSSL hands out. For the .cpp files of attestation/ alone.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <string_view>

namespace reeve::attestation {

template <auto free_it>
struct FreeBy {
    template <class T>
    void operator()(T* object) const {
        free_it(object);
    }
};

using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeBy<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, FreeBy<ECDSA_SIG_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeBy<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeBy<OSSL_PARAM_free>>;
using Number = std::unique_ptr<BIGNUM, FreeBy<BN_clear_free>>;
using Bio = std::unique_ptr<BIO, FreeBy<BIO_free_all>>;

inline std::shared_ptr<EVP_PKEY> share(EVP_PKEY* pkey) {
    return {pkey, FreeBy<EVP_PKEY_free>()};
}

inline const unsigned char* unsigned_bytes(std::string_view bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace reeve::attestation
