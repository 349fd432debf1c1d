// The device's signing key. An interface, so that a TPM key can stand where the file key stands.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "attestation/jose/jwk.hpp"
#include "attestation/result.hpp"

namespace reeve::attestation {

// Signs bytes with one key. Implementations are usable from any thread.
class Signer {
  public:
    virtual ~Signer() = default;

    virtual const jose::PublicKey& public_key() const = 0;
    // A raw JWS signature: 64 bytes (r and s of 32 bytes each, or Ed25519's).
    virtual Result<std::string> sign(std::string_view bytes) const = 0;

    jose::Algorithm algorithm() const { return public_key().algorithm(); }
    const std::string& thumbprint() const { return public_key().thumbprint(); }
};

// A key in this process's memory; OpenSSL wipes it when it is freed.
class MemoryKey : public Signer {
  public:
    static Result<std::unique_ptr<MemoryKey>> generate(jose::Algorithm algorithm);
    // A private JWK ("d" is there). For test vectors and tools; the daemon's key never takes this form.
    static Result<std::unique_ptr<MemoryKey>> from_private_jwk(std::string_view json);

    const jose::PublicKey& public_key() const override { return public_; }
    Result<std::string> sign(std::string_view bytes) const override;

  protected:
    MemoryKey(std::shared_ptr<EVP_PKEY> pkey, jose::PublicKey key);

  private:
    std::shared_ptr<EVP_PKEY> pkey_;
    jose::PublicKey public_;
};

// A P-256 key in a file (PKCS#8 PEM, no passphrase), for devices without a TPM. Root can copy it: the tier
// says "software".
//
// The file must be a regular one with one link, mode 0600, owned by the caller's effective user, in a
// directory of that user that nobody else can write. All of this is checked on the open descriptor. Links are
// never followed in the last component, nor is the directory itself taken through one.
class FileKey : public MemoryKey {
  public:
    // Makes a new key; kFileExists if the name is taken. The file appears whole or not at all (an unnamed
    // file, synced, then linked: Linux 3.11, a file system with O_TMPFILE, and /proc). The directory is made
    // (0700) if only it is missing.
    static Result<std::unique_ptr<FileKey>> create(const std::string& path);
    static Result<std::unique_ptr<FileKey>> load(const std::string& path);
    // What a daemon does at its start. Two at once end with the same key.
    static Result<std::unique_ptr<FileKey>> load_or_create(const std::string& path);

  private:
    using MemoryKey::MemoryKey;
};

}  // namespace reeve::attestation
