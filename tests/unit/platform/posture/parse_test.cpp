// The parsers of posture on what a hostile or broken system may say, and the file system that they read from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "tests/unit/platform/posture/scene.hpp"

namespace reeve::platform::posture::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

// --- mounts

TEST(Mountinfo, UndoesTheKernelsEscapes) {
    const auto mounts = parse_mountinfo(
        "36 35 98:0 /mnt1 /a\\040b\\011c\\012d\\134e rw,noatime master:1 shared:2 - ext3 /dev/my\\040disk "
        "rw\n"
        "37 36 0:5 / /x rw - tmpfs none rw\n");
    ASSERT_TRUE(mounts) << mounts.error().text();
    ASSERT_EQ(mounts->size(), 2U);
    EXPECT_EQ(mounts->at(0).id, 36U);
    EXPECT_EQ(mounts->at(0).major, 98U);
    EXPECT_EQ(mounts->at(0).point, "/a b\tc\nd\\e");
    EXPECT_EQ(mounts->at(0).source, "/dev/my disk");
    EXPECT_EQ(mounts->at(0).type, "ext3");
    EXPECT_EQ(mounts->at(1).type, "tmpfs");
}

TEST(Mountinfo, LeavesWhatIsNoEscape) {
    const auto mounts = parse_mountinfo("1 0 0:5 / /a\\04\\999\\ rw - tmpfs none rw");
    ASSERT_TRUE(mounts) << mounts.error().text();
    EXPECT_EQ(mounts->at(0).point, "/a\\04\\999\\");
}

TEST(Mountinfo, RefusesWhatIsNotWhole) {
    const std::string whole = "36 35 98:0 / /point rw,noatime shared:2 - ext3 /dev/sda rw";
    EXPECT_TRUE(parse_mountinfo(whole));
    // Up to the source, each prefix is cut short; what follows the source is not looked at.
    for (std::size_t size = 0; size < whole.find("/dev/sda"); ++size) {
        const auto mounts = parse_mountinfo(std::string_view(whole).substr(0, size));
        ASSERT_FALSE(mounts) << size;
        EXPECT_EQ(mounts.error().code, EBADMSG);
    }
    for (const char* wrong :
         {"x 35 98:0 / /p rw - ext3 s rw", "36 35 98 / /p rw - ext3 s rw", "36 35 98:-1 / /p rw - ext3 s rw",
          "36 35 4294967296:0 / /p rw - ext3 s rw", "36 35 98:0 / p rw - ext3 s rw", "\n",
          "99999999999999999999 35 98:0 / /p rw - ext3 s rw"})
        EXPECT_FALSE(parse_mountinfo(wrong)) << wrong;
}

TEST(Swaps, NamesWithSpaces) {
    const auto names = parse_swaps("Filename\tType\n/my\\040swap file 1 0 -2\n/dev/sda2\tpartition\t1\n");
    ASSERT_TRUE(names);
    EXPECT_THAT(*names, ElementsAre("/my swap", "/dev/sda2"));
    EXPECT_THAT(parse_swaps("Filename Type\n").value(), ElementsAre());
    for (const char* wrong :
         {"", "/dev/sda2 partition", "Filename\n/dev/sda2", "Filename\n\n", "Filename\nsda2 x\n"})
        EXPECT_FALSE(parse_swaps(wrong)) << wrong;
}

TEST(DeviceMapper, WhatEncrypts) {
    for (const char* uuid : {"CRYPT-LUKS1-a-b", "CRYPT-LUKS2-a-b", "CRYPT-PLAIN-b", "CRYPT-TCRYPT-b",
                             "CRYPT-BITLK-a-b", "CRYPT-FVAULT2-a-b", "CRYPT-LOOPAES-b"})
        EXPECT_TRUE(is_encrypting(uuid)) << uuid;
    for (const char* uuid :
         {"", "CRYPT-", "CRYPT-LUKS2", "CRYPT-LUKS20-a", "CRYPT-VERITY-a-b", "CRYPT-INTEGRITY-a-b",
          "CRYPT-SUBDEV-a-b", "CRYPT-TEMP-b", "LVM-CRYPT-LUKS2-a", "crypt-luks2-a-b", " CRYPT-LUKS2-a-b"})
        EXPECT_FALSE(is_encrypting(uuid)) << uuid;
}

// --- boot and kernel

TEST(EfiByte, IsTheFifthOfFive) {
    EXPECT_EQ(parse_efi_byte(std::string_view("\x06\0\0\0\x01", 5)).value(), 1);
    EXPECT_EQ(parse_efi_byte(std::string_view("\x06\0\0\0\xff", 5)).value(), 255);
    EXPECT_FALSE(parse_efi_byte(""));
    EXPECT_FALSE(parse_efi_byte(std::string_view("\x06\0\0\0", 4)));
    EXPECT_FALSE(parse_efi_byte(std::string_view("\x06\0\0\0\1\1", 6)));
}

TEST(Lockdown, OneKnownModeIsMarked) {
    EXPECT_EQ(parse_lockdown("none [integrity] confidentiality\n").value(), "integrity");
    for (const char* wrong : {"", "none", "[", "]", "][", "[]", "[ none]", "[none", "none]", "[integrityx]"})
        EXPECT_FALSE(parse_lockdown(wrong)) << wrong;
}

TEST(Modules, AreNames) {
    EXPECT_THAT(parse_lsm("capability,bpf\n").value(), ElementsAre("capability", "bpf"));
    for (const std::string& wrong : {std::string(), std::string(",bpf"), std::string("a b"),
                                     std::string("Apparmor"), std::string(33, 'a')})
        EXPECT_FALSE(parse_lsm(wrong)) << wrong;
}

TEST(Profiles, NamesMayHaveBrackets) {
    EXPECT_EQ(parse_apparmor_profiles("a (complain) (enforce)\nb (enforce) (complain)\nc (kill)\n").value(),
              2U);
    EXPECT_EQ(parse_apparmor_profiles("").value(), 0U);
    for (const char* wrong : {" (enforce)\n", "a\n", "a (enforce\n", "\n"})
        EXPECT_FALSE(parse_apparmor_profiles(wrong)) << wrong;
}

// --- nf_tables

std::string message(std::uint16_t type, std::uint16_t flags, const std::string& payload) {
    const auto size = static_cast<std::uint32_t>(16 + payload.size());
    std::string bytes(reinterpret_cast<const char*>(&size), 4);
    bytes.append(reinterpret_cast<const char*>(&type), 2).append(reinterpret_cast<const char*>(&flags), 2);
    return bytes + std::string(8, '\0') + payload;
}
const std::string kDone = message(3, 0, std::string(4, '\0'));

TEST(NftChains, EveryPrefixIsRefusedAndNoByteIsTrusted) {
    // A chain that drops, as scenes/firewall-drops has it, up to its end.
    const std::string attributes = std::string("\1\0\0\0", 4) + std::string("\x08\0\1\0f\0\0\0", 8) +
                                   std::string("\x08\0\3\0i\0\0\0", 8) +
                                   std::string("\x14\0\4\0\x08\0\1\0\0\0\0\1\x08\0\2\0\0\0\0\0", 20) +
                                   std::string("\x08\0\5\0\0\0\0\0", 8) +
                                   std::string("\x0b\0\7\0filter\0\0", 12);
    const std::string whole = message(0x0a03, 2, attributes) + kDone;
    const auto chains = parse_nft_chains(whole);
    ASSERT_TRUE(chains) << chains.error().text();
    ASSERT_EQ(chains->size(), 1U);
    EXPECT_EQ(chains->at(0).table, "f");
    EXPECT_TRUE(chains->at(0).drops_by_default);
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(parse_nft_chains(std::string_view(whole).substr(0, size))) << size;
    // Whatever one byte becomes, it ends, and reads nothing that is not there (./dev asan looks).
    for (std::size_t at = 0; at < whole.size(); ++at)
        for (const char value : {'\0', '\1', '\3', '\x0f', '\x7f', '\x80', '\xff'}) {
            auto changed = whole;
            changed[at] = value;
            (void)parse_nft_chains(changed);
        }
}

TEST(NftChains, LengthsThatLie) {
    for (const std::uint32_t length : {0U, 1U, 15U, 17U, 0xffffffffU}) {
        auto changed = kDone;
        changed.replace(0, 4, reinterpret_cast<const char*>(&length), 4);
        EXPECT_EQ(parse_nft_chains(changed).has_value(), length == 17U)
            << length;  // 17 fits: it is shorter than what is there
    }
    EXPECT_FALSE(parse_nft_chains(message(0x0a03, 2, "")));
    EXPECT_FALSE(parse_nft_chains(message(0x0a03, 2, std::string("\1\0\0\0\3\0\1\0", 8)) + kDone));
    EXPECT_TRUE(parse_nft_chains(message(0x0a00, 2, "of another kind") + std::string(1, '\0') + kDone));
}

// --- apt

TEST(AptSimulation, CountsByOrigin) {
    const auto upgrades = parse_apt_simulation(
        "Inst a [1] (2 Debian:12/stable [all])\nInst b (2 Debian-Security:12/stable-security [all])\n"
        "Inst c (2 Debian-Security:12/stable-security [all]) []\n2 upgraded, 1 newly installed, 0 to remove "
        "and 0 not upgraded.\n");
    ASSERT_TRUE(upgrades);
    EXPECT_EQ(upgrades->all, 3U);
    EXPECT_EQ(upgrades->security, 2U);
    EXPECT_EQ(upgrades->first_security, "b");
}

TEST(AptSimulation, HostileNamesAreShownSafely) {
    const auto upgrades = parse_apt_simulation(
        "Inst \x1b[31mb (2 X-security [all])\n1 upgraded, 0 newly installed, 0 to remove and 0 not "
        "upgraded.");
    ASSERT_TRUE(upgrades);
    EXPECT_EQ(upgrades->first_security, "?[31mb");
}

TEST(AptSimulation, NothingIsTakenForWhole) {
    for (const char* wrong : {"", "Inst", "0 upgraded", "Inst a (\n0 upgraded, 0 newly installed, ",
                              "Inst a )(\n0 upgraded, 0 newly installed, "})
        EXPECT_FALSE(parse_apt_simulation(wrong)) << wrong;
}

// --- self-test

TEST(SelfTestLines, AreReadOrRefusedWhole) {
    const auto walls = parse_self_test(
        "\n{\"wall\":\"mount\",\"held\":true,\"detail\":\"x\\ny\"}\n{\"wall\":\"bpf\",\"held\":null}\n");
    ASSERT_TRUE(walls) << walls.error().text();
    ASSERT_EQ(walls->size(), 2U);
    EXPECT_EQ(walls->at(0).held, true);
    EXPECT_EQ(walls->at(0).detail, "x?y");
    EXPECT_EQ(walls->at(1).held, std::nullopt);
    for (const char* wrong :
         {"", "x", "[]", "{}", R"({"wall":1,"held":true})", R"({"wall":"a"})", R"({"wall":"","held":true})",
          R"({"wall":"A","held":true})", R"({"wall":"a","held":1})",
          R"({"wall":"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddX","held":true})"})
        EXPECT_FALSE(parse_self_test(wrong)) << wrong;
    std::string many;
    for (int i = 0; i < 65; ++i) many += "{\"wall\":\"w" + std::to_string(i) + "\",\"held\":true}\n";
    EXPECT_FALSE(parse_self_test(many));
}

// --- small tools

TEST(Number, IsWhole) {
    EXPECT_EQ(number("x", "18446744073709551615").value(), UINT64_MAX);
    for (const char* wrong : {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1.0"})
        EXPECT_FALSE(number("x", wrong)) << wrong;
}

TEST(Printable, CutsAndReplaces) {
    EXPECT_EQ(printable("a\tb\x7f\xc3\xa9"), "a?b???");
    EXPECT_EQ(printable(std::string(300, 'x')).size(), 200U);
}

// --- the rooted file system

class Tree : public testing::Test {
  protected:
    Tree() {
        std::string name = (fs::temp_directory_path() / "reeve-tree-XXXXXX").string();
        if (::mkdtemp(name.data()) != nullptr) root = name;
        fs::create_directories(root / "inside/directory");
        std::ofstream(root / "inside/file") << "text";
    }
    ~Tree() override { fs::remove_all(root); }
    RootedFileSystem files() const { return RootedFileSystem::open((root / "inside").string()).value(); }
    fs::path root;
};

TEST_F(Tree, LinksStayInside) {
    std::ofstream(root / "secret") << "outside";
    fs::create_symlink("/secret", root / "inside/absolute");
    fs::create_symlink("../../../../../../etc/passwd", root / "inside/upwards");
    fs::create_symlink("/file", root / "inside/good");
    EXPECT_EQ(files().read("/absolute", 100).error().code, ENOENT);
    EXPECT_EQ(files().read("/upwards", 100).error().code, ENOENT);
    EXPECT_EQ(files().read("/../../secret", 100).error().code, ENOENT);
    EXPECT_EQ(files().read("/good", 100).value(), "text");
    EXPECT_EQ(files().read_link("/upwards").value(), "../../../../../../etc/passwd");
    EXPECT_EQ(files().read_link("/file").error().code, EINVAL) << "ENOENT would read as \"there is nothing\"";
}

TEST_F(Tree, LimitsAndKinds) {
    EXPECT_EQ(files().read("/file", 4).value(), "text");
    EXPECT_EQ(files().read("/file", 3).error().code, EFBIG);
    EXPECT_EQ(files().read("/directory", 100).error().code, EISDIR);
    EXPECT_EQ(files().list("/file").error().code, ENOTDIR);
    EXPECT_THAT(files().list("/").value(), ElementsAre("directory", "file"));
    EXPECT_FALSE(RootedFileSystem::open((root / "nothing").string()));
}

TEST_F(Tree, AFifoDoesNotHoldAReader) {
    ASSERT_EQ(::mkfifo((root / "inside/fifo").c_str(), 0600), 0);
    EXPECT_EQ(files().read("/fifo", 100).value(), "");
}

TEST_F(Tree, TimesAndModes) {
    const timespec when[] = {{1'700'000'000, 0}, {1'700'000'001, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, (root / "inside/file").c_str(), when, 0), 0);
    EXPECT_EQ(files().stat("/file").value().modified, 1'700'000'001);
    EXPECT_TRUE(S_ISDIR(files().stat("/directory").value().mode));
}

TEST(RealSystem, MountsAreTheKernelsOwn) {
    const auto files = RootedFileSystem::open("/").value();
    const auto id = files.mount_of("/proc");
    ASSERT_TRUE(id) << id.error().text();
    const auto mounts = parse_mountinfo(files.read("/proc/self/mountinfo", 4 << 20).value());
    ASSERT_TRUE(mounts) << mounts.error().text();
    const auto mount = std::ranges::find(*mounts, *id, &Mount::id);
    ASSERT_NE(mount, mounts->end());
    EXPECT_EQ(mount->point, "/proc");
    EXPECT_EQ(mount->type, "proc");
}

// The real kernel: whatever it is, each probe ends, and says what it must.
TEST(RealSystem, EveryProbeAnswers) {
    const auto files = RootedFileSystem::open("/").value();
    const LinuxKernel kernel([] { return Result<confine::Support>(confine::Support{}); });
    class None final : public Exec {
        Result<Output> run(std::string_view id) const override {
            return os_error("run", std::string(id), ENOENT);
        }
    } const none;
    for (const auto& probe : probes()) {
        const auto checks =
            probe.run({.files = files, .exec = none, .kernel = kernel, .self_test = {}}, {.home = "/root"});
        for (const auto name : probe.names)
            EXPECT_NE(std::ranges::find(checks, name, &Check::name), checks.end())
                << probe.area << "." << name;
    }
    EXPECT_GT(kernel.wall_seconds(), 1'700'000'000);
}

}  // namespace
}  // namespace reeve::platform::posture::test
