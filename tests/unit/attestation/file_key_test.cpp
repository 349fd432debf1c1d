#include <fcntl.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "attestation/key.hpp"
#include "attestation/openssl.hpp"

namespace reeve::attestation {
namespace {

namespace fs = std::filesystem;

class FileKeyTest : public testing::Test {
  protected:
    FileKeyTest() {
        std::string name = (fs::temp_directory_path() / "reeve-key-XXXXXX").string();
        base_ = ::mkdtemp(name.data());
    }
    ~FileKeyTest() override { fs::remove_all(base_); }

    std::string path(const char* name = "device.pem") const { return base_ + "/" + name; }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(base_), fs::directory_iterator()));
    }
    static Fault fault_of(const Result<std::unique_ptr<FileKey>>& key) {
        EXPECT_FALSE(key);
        return key ? Fault::kArgument : key.error().fault;
    }

    std::string base_;
};

TEST_F(FileKeyTest, IsMadeOnceAndLoadedAfterwards) {
    ::umask(0);
    auto made = FileKey::create(path());
    ASSERT_TRUE(made) << made.error().text();
    struct stat found {};
    ASSERT_EQ(::stat(path().c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0600u);
    EXPECT_EQ(entries(), 1u);  // nothing left beside it
    auto loaded = FileKey::load(path());
    ASSERT_TRUE(loaded) << loaded.error().text();
    EXPECT_EQ((*loaded)->thumbprint(), (*made)->thumbprint());
    EXPECT_TRUE((*made)->public_key().verify("text", *(*loaded)->sign("text")));
    EXPECT_EQ(fault_of(FileKey::create(path())), Fault::kFileExists);
    EXPECT_EQ((*FileKey::load_or_create(path()))->thumbprint(), (*made)->thumbprint());
}

TEST_F(FileKeyTest, MakesOnlyTheLastDirectory) {
    EXPECT_TRUE(FileKey::load_or_create(base_ + "/keys/device.pem"));
    struct stat found {};
    ASSERT_EQ(::stat((base_ + "/keys").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0700u);
    EXPECT_FALSE(FileKey::create(base_ + "/no/such/device.pem"));
}

TEST_F(FileKeyTest, TwoAtOnceEndWithOneKey) {
    std::vector<std::string> seen(8);
    {
        std::vector<std::jthread> threads;
        for (auto& thumbprint : seen)
            threads.emplace_back([&] {
                auto key = FileKey::load_or_create(path());
                thumbprint = key ? (*key)->thumbprint() : key.error().text();
            });
    }
    for (const auto& thumbprint : seen) EXPECT_EQ(thumbprint, seen[0]);
    EXPECT_EQ(entries(), 1u);
}

TEST_F(FileKeyTest, RefusesLinks) {
    ASSERT_TRUE(FileKey::create(path()));
    fs::create_symlink(path(), path("soft.pem"));
    EXPECT_EQ(fault_of(FileKey::load(path("soft.pem"))), Fault::kFileUntrusted);
    EXPECT_EQ(fault_of(FileKey::create(path("soft.pem"))), Fault::kFileExists);
    fs::create_symlink(path("nowhere"), path("dangling.pem"));
    EXPECT_EQ(fault_of(FileKey::create(path("dangling.pem"))), Fault::kFileExists);
    EXPECT_FALSE(fs::exists(path("nowhere")));
    fs::create_directory_symlink(base_, path("dir"));
    EXPECT_EQ(fault_of(FileKey::load(path("dir") + "/device.pem")), Fault::kFileUntrusted);
    fs::create_hard_link(path(), path("hard.pem"));
    EXPECT_EQ(fault_of(FileKey::load(path("hard.pem"))), Fault::kFileUntrusted);
    EXPECT_EQ(fault_of(FileKey::load(path())), Fault::kFileUntrusted);
}

TEST_F(FileKeyTest, RefusesOtherModesOwnersAndKinds) {
    ASSERT_TRUE(FileKey::create(path()));
    for (mode_t mode : {0640u, 0604u, 0400u, 0700u, 04600u}) {
        ASSERT_EQ(::chmod(path().c_str(), mode), 0);
        EXPECT_EQ(fault_of(FileKey::load(path())), Fault::kFileUntrusted) << std::oct << mode;
    }
    ASSERT_EQ(::chmod(path().c_str(), 0600), 0);
    ASSERT_TRUE(FileKey::load(path()));
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    EXPECT_EQ(fault_of(FileKey::load(path("fifo"))), Fault::kFileUntrusted);
    EXPECT_EQ(fault_of(FileKey::load(path("none"))), Fault::kNoSuchFile);
    EXPECT_EQ(fault_of(FileKey::load(base_ + "/")), Fault::kArgument);
    if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
    ASSERT_EQ(::chown(path().c_str(), 12345, 0), 0);
    EXPECT_EQ(fault_of(FileKey::load(path())), Fault::kFileUntrusted);
}

TEST_F(FileKeyTest, RefusesADirectoryThatOthersCanWrite) {
    ASSERT_TRUE(FileKey::create(path()));
    for (mode_t mode : {0770u, 0777u, 01777u}) {
        ASSERT_EQ(::chmod(base_.c_str(), mode), 0);
        EXPECT_EQ(fault_of(FileKey::load(path())), Fault::kFileUntrusted);
        EXPECT_EQ(fault_of(FileKey::create(path("new.pem"))), Fault::kFileUntrusted);
    }
}

class FileKeyContent : public FileKeyTest {
  protected:
    Fault load(std::string_view content) {
        std::ofstream(path(), std::ios::binary) << content;
        EXPECT_EQ(::chmod(path().c_str(), 0600), 0);
        return fault_of(FileKey::load(path()));
    }
};

std::string pem_of(EVP_PKEY* pkey, const EVP_CIPHER* cipher = nullptr) {
    auto owner = share(pkey);
    Bio bio(BIO_new(BIO_s_mem()));
    char phrase[] = "secret";
    PEM_write_bio_PKCS8PrivateKey(bio.get(), pkey, cipher, cipher ? phrase : nullptr, cipher ? 6 : 0, nullptr,
                                  nullptr);
    char* text = nullptr;
    long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

TEST_F(FileKeyContent, MustBeAnUnencryptedP256Key) {
    EXPECT_EQ(load(pem_of(EVP_EC_gen("P-384"))), Fault::kKey);
    EXPECT_EQ(load(pem_of(EVP_EC_gen("secp256k1"))), Fault::kKey);
    EXPECT_EQ(load(pem_of(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))), Fault::kKey);
    EXPECT_EQ(load(pem_of(EVP_EC_gen("P-256"), EVP_aes_256_cbc())), Fault::kKey);
    std::string good = pem_of(EVP_EC_gen("P-256"));
    EXPECT_EQ(load(good.substr(0, good.size() / 2)), Fault::kKey);
    EXPECT_EQ(load("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"),
              Fault::kKey);
    EXPECT_EQ(load(""), Fault::kKey);
    EXPECT_EQ(load("garbage"), Fault::kKey);
    EXPECT_EQ(load(std::string(5000, '-')), Fault::kTooLarge);
}

}  // namespace
}  // namespace reeve::attestation
