// Trust of executables, on real files of root's below /var/lib (its folders are root's alone), with real dpkg lists and
// real CMS signatures.
#include "daemon/session/trust.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "daemon/session/agent.hpp"
#include "daemon/session/hash.hpp"

namespace reeve::session {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Trust : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root: trust is about files of root's";
        std::string name = "/var/lib/reeve-test-XXXXXX";
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
        fs::permissions(root_, static_cast<fs::perms>(0755));
    }
    void TearDown() override {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    fs::path write(const std::string& name, const std::string& text, unsigned mode = 0755) {
        const fs::path path = root_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << text;
        ::chmod(path.c_str(), mode);
        return path;
    }
    static Executable open(const fs::path& path) {
        auto file = open_trusted(path);
        EXPECT_TRUE(file) << (file ? "" : file.error().text());
        return file ? std::move(*file) : Executable{};
    }

    fs::path root_;
};

TEST_F(Trust, HashesTheFileItself) {
    EXPECT_EQ(open(write("agent", "abc")).sha256,
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");  // FIPS 180-2, B.1
}

TEST_F(Trust, WhatOthersCanWriteIsNotTrusted) {
    EXPECT_THAT(open_trusted(write("group", "x", 0775)).error().text(),
                HasSubstr("others than root can write it"));
    const fs::path theirs = write("theirs", "x");
    ASSERT_EQ(::chown(theirs.c_str(), 1000, 1000), 0);
    EXPECT_FALSE(open_trusted(theirs));
    const fs::path below = write("folder/agent", "x");
    ASSERT_EQ(::chown((root_ / "folder").c_str(), 1000, 1000), 0);
    EXPECT_THAT(open_trusted(below).error().text(),
                HasSubstr("others than root can write " + (root_ / "folder").string()));
    ASSERT_EQ(::chown((root_ / "folder").c_str(), 0, 0), 0);
    ASSERT_EQ(::chmod((root_ / "folder").c_str(), 01777), 0);
    EXPECT_FALSE(open_trusted(below)) << "sticky is not enough";
}

TEST_F(Trust, LinksAndOddFilesAreNotTrusted) {
    fs::create_symlink(write("real", "x"), root_ / "link");
    EXPECT_FALSE(open_trusted(root_ / "link"));
    EXPECT_FALSE(open_trusted(root_));
    ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0644), 0);
    EXPECT_FALSE(open_trusted(root_ / "fifo"));
    EXPECT_FALSE(open_trusted(root_ / "nothing"));
}

TEST_F(Trust, AnyAnchorWillDoAndTheErrorNamesWhyNoneDid) {
    std::vector<Executable> files;
    files.push_back(open(write("agent", "abc")));
    policy::TrustAnchor wrong, right;
    wrong.sha256 = {std::string(64, '0')};
    right.sha256 = {files[0].sha256};
    EXPECT_EQ(check_trust(files, {wrong, right}, "/").value(), "sha256");
    EXPECT_THAT(check_trust(files, {wrong}, "/").error().text(),
                HasSubstr("is not one of those in the policy"));
    EXPECT_FALSE(check_trust(files, {}, "/"));
}

TEST_F(Trust, AScriptNeedsItsAnchorAndItsInterpreterAPackageOrItsOwn) {
    std::vector<Executable> files;
    files.push_back(open(write("interpreter", "an interpreter of no package")));
    files.push_back(open(write("script", "#!x")));
    policy::TrustAnchor script, both;
    script.sha256 = {files[1].sha256};
    both.sha256 = {files[0].sha256, files[1].sha256};
    EXPECT_FALSE(check_trust(files, {script}, "/")) << "who can exchange the interpreter runs anything";
    EXPECT_EQ(check_trust(files, {both}, "/").value(), "sha256");
}

TEST_F(Trust, DebianPackagesOwnTheirFiles) {
    const fs::path agent = write("bin/agent", "abc");
    const auto file = open(agent);
    const std::string dpkg = (root_ / "dpkg").string(), name = agent.string();
    write("dpkg/info/agent.list", "/.\n" + name + "\n", 0644);
    write("dpkg/info/agent.md5sums", "900150983cd24fb0d6963f7d28e17f72  " + name.substr(1) + "\n",
          0644);  // RFC 1321, A.5
    write("dpkg/info/other:amd64.list", "/.\n/usr/bin/other\n", 0644);
    write("dpkg/info/broken.list", name + "\n", 0644);
    write("dpkg/info/broken.md5sums", std::string(32, '0') + "  " + name.substr(1) + "\n", 0644);
    EXPECT_EQ(check_package(file, "agent", dpkg).value(), "package");
    EXPECT_EQ(owning_packages(name, dpkg), (std::vector<std::string>{"agent", "broken"}));
    EXPECT_THAT(check_package(file, "other", dpkg).error().text(), HasSubstr("does not own it"));
    EXPECT_THAT(check_package(file, "broken", dpkg).error().text(), HasSubstr("not what the package"));
    EXPECT_THAT(check_package(file, "missing", dpkg).error().text(), HasSubstr("is not installed"));
    EXPECT_THAT(check_package(file, "../agent", dpkg).error().text(), HasSubstr("no package name"));
}

TEST_F(Trust, ThisMachinesOwnPackagesAreFound) {
    const auto git = open_trusted("/usr/bin/env");
    ASSERT_TRUE(git) << git.error().text();
    EXPECT_EQ(check_package(*git, "coreutils").value(), "package");
}

class Signed : public Trust {
  protected:
    struct Pair {
        EVP_PKEY* key;
        X509* certificate;
    };
    static Pair make_pair(const char* name) {
        EVP_PKEY* key = EVP_EC_gen("P-256");
        X509* certificate = X509_new();
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
        X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
        X509_set_pubkey(certificate, key);
        X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
        X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
        X509_sign(certificate, key, EVP_sha256());
        return {key, certificate};
    }
    fs::path save(const std::string& name, X509* certificate) {
        const fs::path path = write(name, "", 0644);
        BIO* out = BIO_new_file(path.c_str(), "w");
        PEM_write_bio_X509(out, certificate);
        BIO_free(out);
        return path;
    }
    void sign(const fs::path& file, const Pair& pair, const std::string& text) {
        BIO* content = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
        CMS_ContentInfo* cms =
            CMS_sign(pair.certificate, pair.key, nullptr, content, CMS_BINARY | CMS_DETACHED);
        const std::string path = file.string() + ".p7s";
        BIO* out = BIO_new_file(path.c_str(), "w");
        i2d_CMS_bio(out, cms);
        BIO_free(out);
        BIO_free(content);
        CMS_ContentInfo_free(cms);
        ::chmod(path.c_str(), 0644);
    }
    static void free_pair(const Pair& pair) {
        EVP_PKEY_free(pair.key);
        X509_free(pair.certificate);
    }
};

TEST_F(Signed, APinnedCertificateSigns) {
    const Pair vendor = make_pair("vendor"), mallory = make_pair("mallory");
    const fs::path pinned = save("vendor.pem", vendor.certificate);
    const fs::path good = write("good", "the agent"), changed = write("changed", "another agent"),
                   forged = write("forged", "the agent");
    sign(good, vendor, "the agent");
    sign(changed, vendor, "the agent");
    sign(forged, mallory, "the agent");  // it brings its own certificate along
    EXPECT_EQ(check_signature(open(good), pinned).value(), "signer");
    EXPECT_FALSE(check_signature(open(changed), pinned));
    EXPECT_FALSE(check_signature(open(forged), pinned));
    EXPECT_FALSE(check_signature(open(write("unsigned", "the agent")), pinned));
    EXPECT_FALSE(check_signature(open(good), root_ / "good")) << "no certificate";
    free_pair(vendor);
    free_pair(mallory);
}

// --- whose executable it is

policy::Layer layer_with(const std::string& executable, const std::string& sha256) {
    const std::string trust =
        sha256.empty() ? "" : R"(, "trust": {"any": [{"sha256": [")" + sha256 + R"("]}]})";
    auto document = policy::parse_document(
        R"({"schema": "reeve.policy/1", "id": "vendor", "version": 1, "agents": {"robot": {"executables": [")" +
            executable + "\"]" + trust + "}}}",
        "test");
    EXPECT_TRUE(document) << (document ? "" : policy::to_string(document.error()));
    return {policy::Authority::vendor, document ? std::move(*document) : policy::Document()};
}

const policy::Variables kVariables{
    .home = "/home/alice", .workspace = "/home/alice/w", .user = "alice", .session = "S", .tmp = "/tmp"};

class Agents : public Trust {
  protected:
    platform::Result<Agent> find(const policy::Layer& layer, std::vector<std::string> command,
                                 const std::string& agent = {}) {
        return find_agent({layer}, kVariables, "/",
                          {.agent = agent,
                           .command = std::move(command),
                           .search_path = root_.string(),
                           .working_directory = root_});
    }
};

TEST_F(Agents, TheExecutableSaysWhichAndItsHashWhetherItIs) {
    const fs::path robot = write("robot", "abc");
    const std::string hash = open(robot).sha256;
    const auto found = find(layer_with(robot, hash), {"robot", "--fast"});
    ASSERT_TRUE(found) << found.error().text();
    EXPECT_EQ(found->id, "robot");
    EXPECT_EQ(found->trust, "sha256");
    EXPECT_EQ(found->sha256, hash);
    EXPECT_EQ(find(layer_with(robot, hash), {"/usr/bin/true"})->id, policy::kUnverified);
}

TEST_F(Agents, WhoseTrustFailsRunsUnverifiedOrIsRefusedByName) {
    const fs::path robot = write("robot", "abc");
    const auto layer = layer_with(robot, std::string(64, '0'));
    const auto found = find(layer, {"robot"});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, policy::kUnverified);
    EXPECT_THAT(found->note, HasSubstr("SHA-256"));
    EXPECT_FALSE(find(layer, {"robot"}, "robot"));
    EXPECT_THAT(find(layer, {"/usr/bin/true"}, "robot").error().text(),
                HasSubstr("not one of its executables"));
    EXPECT_THAT(find(layer, {"robot"}, "nobody").error().text(), HasSubstr("no policy knows that agent"));
}

TEST_F(Agents, ACopyIsNotTheAgent) {
    const fs::path robot = write("robot", "abc");
    write("copy", "abc");
    EXPECT_EQ(find(layer_with(robot, open(robot).sha256), {"copy"})->id, policy::kUnverified);
}

TEST_F(Agents, AnInterpreterIsWhatItsEntryScriptIs) {
    const fs::path script = write("robot.sh", "echo\n", 0644);
    const auto layer = layer_with(script, open(script).sha256);
    EXPECT_EQ(find(layer, {"/bin/sh", script})->id, "robot");
    EXPECT_EQ(find(layer, {"/bin/sh", "-x", script})->id, policy::kUnverified)
        << "behind an option anything can stand";
    EXPECT_EQ(find(layer, {"/bin/sh", "-c", script})->id, policy::kUnverified);
}

TEST_F(Agents, AScriptsInterpreterMustBeRootsAsWell) {
    const fs::path script = write("robot", "#!/usr/bin/env fake\n");
    const auto layer = layer_with(script, open(script).sha256);
    const fs::path fake = write("fake", "x");
    ASSERT_EQ(::chown(fake.c_str(), 1000, 1000), 0);
    EXPECT_EQ(find(layer, {"robot"})->id, policy::kUnverified) << "PATH leads to what the person can write";
}

}  // namespace
}  // namespace reeve::session
