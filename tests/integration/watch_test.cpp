// What a session opens, changes and runs is in the records: real mounts, real marks, real programs.
#include <gmock/gmock.h>
#include <sys/mman.h>

#include <map>

#include "tests/integration/watch_harness.hpp"

namespace reeve::watch_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsSupersetOf;
using testing::SizeIs;

TEST_F(WatchTest, TheVeryFirstOpenIsThere) {
    std::ofstream(zone_ / "first") << "x";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_}, [&] { return touch(zone_ / "first") ? 0 : 1; }), 0);
    const auto records = drained();
    ASSERT_THAT(records, SizeIs(1));
    EXPECT_EQ(records[0]["action"], "file.read");
    EXPECT_EQ(records[0]["resource"], (zone_ / "first").string());
    EXPECT_EQ(records[0]["details"]["event"], "open");
    EXPECT_EQ(records[0]["outcome"], "allowed");
}

TEST_F(WatchTest, TheHostsOwnAccessIsNot) {
    std::ofstream(zone_ / "file") << "x";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_}, [] { return 0; }), 0);
    EXPECT_TRUE(touch(zone_ / "file"));
    EXPECT_THAT(drained(), SizeIs(0));
}

TEST_F(WatchTest, ReadsWritesAndListsAreToldApart) {
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_}, program({"sh", "-c", "echo x > made; ls . > /dev/null"}, zone_)), 0);
    const auto records = drained();
    EXPECT_THAT(resources(records, "file.write"), ElementsAre(zone_ / "made"));
    EXPECT_THAT(resources(records, "file.list"), ElementsAre(zone_));
    EXPECT_THAT(resources(records, "file.read"), Contains(zone_ / "made"));
}

TEST_F(WatchTest, RepeatsOfOneProcessAreCounted) {
    std::ofstream(zone_ / "a") << "x";
    std::ofstream(zone_ / "b") << "x";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_},
                       [&] {
                           for (int i = 0; i < 1000; ++i) touch(zone_ / (i % 2 == 0 ? "a" : "b"));
                           return 0;
                       }),
              0);
    drained();
    EXPECT_LT(counts_.recorded, 100U);
    EXPECT_LE(counts_.seen, 1000U) << "the kernel merges too";
}

TEST_F(WatchTest, TheZonesMaskDecides) {
    fs::create_directory(zone_ / "quiet");
    fs::copy_file("/bin/true", zone_ / "quiet/true");
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_TRUE(watcher_->add_place("s", place(zone_ / "quiet", platform::confine::kLogChanges)));
    ASSERT_EQ(confined({zone_}, program({zone_ / "quiet/true"}, zone_)), 0);
    EXPECT_THAT(drained(), SizeIs(0));
    EXPECT_GE(counts_.left_out, 2U);
}

TEST_F(WatchTest, ARenamedDirectoryGivesItsNewPath) {
    fs::create_directories(zone_ / "old/deep");
    std::ofstream(zone_ / "old/deep/file") << "x";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_}, [&] { return touch(zone_ / "old/deep/file") ? 0 : 1; }), 0);
    drained();
    ASSERT_EQ(confined({zone_},
                       [&] {
                           if (rename((zone_ / "old").c_str(), (zone_ / "new").c_str()) != 0) return 1;
                           return touch(zone_ / "new/deep/file") ? 0 : 1;
                       }),
              0);
    EXPECT_THAT(resources(drained(), "file.read"),
                ElementsAre(zone_ / "new/deep/file", zone_ / "old/deep/file"));
}

TEST_F(WatchTest, NamesOfHardLinksUnlinkedFilesAndBytes) {
    std::ofstream(zone_ / "one") << "x";
    fs::create_hard_link(zone_ / "one", zone_ / "two");
    std::ofstream(zone_ / "brief") << "x";
    std::ofstream(zone_ / "\xff\n\"") << "x";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_},
                       [&] {
                           const bool all =
                               touch(zone_ / "two") && touch(zone_ / "brief") && touch(zone_ / "\xff\n\"");
                           return all && unlink((zone_ / "brief").c_str()) == 0 ? 0 : 1;
                       }),
              0);
    EXPECT_THAT(
        resources(drained(), "file.read"),
        testing::UnorderedElementsAre(zone_ / "two", zone_ / "brief", (zone_ / "\xef\xbf\xbd\n\"").string()));
}

TEST_F(WatchTest, ADirectoryThatIsGoneStillGivesARecord) {
    fs::create_directory(zone_ / "gone");
    std::ofstream(zone_ / "gone/file") << "x";
    auto group = watch::open_group(watch::Reports::kHandles);
    ASSERT_TRUE(group);
    group_ = std::move(*group);
    ASSERT_EQ(confined({zone_}, [&] { return touch(zone_ / "gone/file") ? 0 : 1; }), 0);
    fs::remove_all(zone_ / "gone");
    auto later = same(group_);
    watch_places({});
    audit::WatchSetup setup;
    setup.session = "t";
    setup.context = std::make_shared<const audit::SessionContext>(audit::SessionFacts{});
    setup.by_handle = std::move(later);
    setup.places.push_back(place(zone_));
    ASSERT_TRUE(watcher_->add(std::move(setup)));
    ASSERT_TRUE(watcher_->drain("t"));
    const auto records = accesses(sink_.records());
    ASSERT_THAT(records, SizeIs(1));
    EXPECT_EQ(records[0]["resource"], "file");
    EXPECT_EQ(records[0]["details"]["directory"], "deleted");
    EXPECT_EQ(records[0]["details"]["process"], "gone");
}

// The same file system stands at two places of the host; the zone is at one of them.
TEST_F(WatchTest, TheMountThatHoldsTheZoneGivesThePath) {
    fs::create_directories(folder_ / "source/tree");
    fs::create_directory(folder_ / "other");
    std::ofstream(folder_ / "source/tree/file") << "x";
    ASSERT_EQ(mount((folder_ / "source").c_str(), (folder_ / "other").c_str(), nullptr, MS_BIND, nullptr), 0);
    const fs::path bound = folder_ / "other/tree";
    watch_places({});
    EXPECT_TRUE(watcher_->add_place("s", place(zone_)));
    EXPECT_TRUE(watcher_->add_place("s", place(bound)));
    EXPECT_EQ(confined({zone_, bound}, [&] { return touch(bound / "file") ? 0 : 1; }), 0);
    EXPECT_THAT(resources(drained(), "file.read"), ElementsAre(bound / "file"));
    watcher_.reset();
    EXPECT_EQ(umount2((folder_ / "other").c_str(), MNT_DETACH), 0);
}

TEST_F(WatchTest, APrivateTmpfsThatIsGoneWithItsSession) {
    const Fd made(static_cast<int>(syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
    ASSERT_EQ(syscall(SYS_fsconfig, made.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), 0);
    const Fd tmpfs(static_cast<int>(syscall(SYS_fsmount, made.get(), FSMOUNT_CLOEXEC, 0)));
    watch::Place kept;
    kept.path = "/private";
    kept.root = clone_tree(tmpfs.get(), "");
    kept.log = kAll;
    kept.of_host = false;
    if (!kept.root) GTEST_SKIP() << "this kernel clones no detached mount (Linux 6.15)";
    watch_places({});
    ASSERT_TRUE(watch::mark_mount(group_.get(), tmpfs.get(), kAll));
    ASSERT_TRUE(watcher_->add_place("s", std::move(kept)));
    ASSERT_EQ(confined({},
                       [&] {
                           if (syscall(SYS_move_mount, tmpfs.get(), "", AT_FDCWD, zone_.c_str(),
                                       MOVE_MOUNT_F_EMPTY_PATH) != 0)
                               return 1;
                           if (mkdir((zone_ / "sub").c_str(), 0700) != 0) return 2;
                           std::ofstream(zone_ / "sub/file") << "x";
                           return 0;
                       }),
              0);
    EXPECT_THAT(resources(drained(), "file.write"), ElementsAre("/private/sub/file"));
}

// overlayfs has handles that cannot be opened again: its mount goes to a group that reports descriptors.
TEST_F(WatchTest, AnOverlayIsWatchedByDescriptor) {
    for (const char* name : {"lower", "upper", "work"}) fs::create_directory(folder_ / name);
    fs::create_directory(folder_ / "lower/sub");
    std::ofstream(folder_ / "lower/sub/file") << "x";
    const std::string options = "lowerdir=" + (folder_ / "lower").string() +
                                ",upperdir=" + (folder_ / "upper").string() +
                                ",workdir=" + (folder_ / "work").string();
    ASSERT_EQ(mount("overlay", zone_.c_str(), "overlay", 0, options.c_str()), 0) << strerror(errno);
    const auto handles = watch::open_group(watch::Reports::kHandles);
    const auto refused = watch::mark_mount(handles->get(), clone_tree(AT_FDCWD, zone_.c_str()).get(), kAll);
    EXPECT_TRUE(!refused && watch::refuses_handles(refused.error()));
    watch_places({}, watch::Reports::kDescriptors);
    EXPECT_TRUE(watcher_->add_place("s", place(zone_)));
    int waiting[2];
    ASSERT_EQ(pipe2(waiting, O_CLOEXEC), 0);
    Fd from(waiting[0]), to(waiting[1]);
    // It lives until the records are made: the paths are those of its mounts.
    const pid_t child = start_confined({zone_}, [&] {
        const int status = touch(zone_ / "sub/file") ? 0 : 1;
        for (const auto& each : fs::directory_iterator(zone_)) (void)each;
        char byte = 0;
        to.reset();
        return read(from.get(), &byte, 1) == 0 ? status : 3;
    });
    from.reset();
    for (int i = 0; i < 1000 && watcher_->counts("s")->seen < 2; ++i) poll(nullptr, 0, 10);
    const auto records = drained();
    to.reset();
    int status = -1;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_THAT(resources(records, "file.read"), ElementsAre(zone_ / "sub/file"));
    EXPECT_THAT(resources(records, "file.list"), ElementsAre(zone_));
}

TEST_F(WatchTest, EveryProgramThatRan) {
    fs::copy_file("/bin/true", zone_ / "elf");
    std::ofstream(zone_ / "script") << "#!/usr/bin/env sh\n" << (zone_ / "elf").string() << "\n";
    fs::permissions(zone_ / "script", fs::perms::owner_all);
    const fs::path usr = "/usr";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_TRUE(watcher_->add_place("s", place(usr, platform::confine::kLogExecutions)));
    ASSERT_EQ(confined({zone_, usr}, program({zone_ / "script"}, zone_)), 0);
    const auto records = drained();
    const auto ran = resources(records, "process.exec");
    EXPECT_THAT(ran, IsSupersetOf({(zone_ / "script").string(), std::string("/usr/bin/env"),
                                   fs::canonical("/bin/sh").string(), (zone_ / "elf").string()}));
    EXPECT_THAT(ran, SizeIs(4)) << "the dynamic loader comes with each, and is not a program that was run";
    for (const auto& record : of_action(records, "process.exec"))
        EXPECT_EQ(record["actor"]["process"]["exe"], record["resource"]);
}

// Every process of which there is a record has one for its end, when the session's watch has ended; and no
// other.
TEST_F(WatchTest, EveryProcessThatIsNamedHasAnEnd) {
    fs::copy_file("/bin/true", zone_ / "elf");
    std::ofstream(zone_ / "file") << "x";
    const std::string work =
        "for i in 1 2 3 4 5; do ./elf; cat file > /dev/null; (read x < file); done; true";
    const fs::path usr = "/usr";
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_TRUE(watcher_->add_place("s", place(usr, platform::confine::kLogExecutions)));
    ASSERT_EQ(confined({zone_, usr}, program({"sh", "-c", work}, zone_)), 0);
    const auto removed = watcher_->remove("s");
    ASSERT_TRUE(removed);
    EXPECT_TRUE(removed->exact());
    EXPECT_EQ(sink_.accesses(), removed->recorded + removed->coalesced);
    std::multiset<std::int64_t> named, ended;
    std::set<std::int64_t> numbers;
    std::map<std::int64_t, std::string> program_of;
    for (const auto& record : sink_.records()) {
        const auto& process = record["actor"]["process"];
        const auto pid = process["pid"].get<std::int64_t>();
        if (record["action"] != "process.end") {
            EXPECT_FALSE(ended.contains(pid)) << "after its end: " << record;
            numbers.insert(pid);
            if (record["action"] == "process.exec") program_of[pid] = record["resource"];
            continue;
        }
        ended.insert(pid);
        EXPECT_EQ(process.value("exe", ""), record.value("resource", "")) << record;
        EXPECT_TRUE(!program_of.contains(pid) || program_of[pid] == record.value("resource", "")) << record;
    }
    named.insert(numbers.begin(), numbers.end());
    EXPECT_EQ(ended, named);
    EXPECT_THAT(ended, SizeIs(16)) << "the shell, and five times two programs and a subshell";
}

TEST_F(WatchTest, ALoaderThatIsRunItselfIsTold) {
    fs::copy_file("/bin/true", zone_ / "elf");
    fs::path loader = "/lib64/ld-linux-x86-64.so.2";
    if (!fs::exists(loader)) loader = "/lib/ld-linux-aarch64.so.1";
    watch_places({});
    const fs::path usr = "/usr";
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_TRUE(watcher_->add_place("s", place(usr, platform::confine::kLogExecutions)));
    ASSERT_EQ(confined({zone_, usr}, program({loader, zone_ / "elf"}, zone_)), 0);
    const auto records = drained();
    EXPECT_THAT(resources(records, "process.exec"), ElementsAre(fs::canonical(loader)));
    EXPECT_THAT(resources(records, "file.read"), Contains(zone_ / "elf")) << "what it loads is an open";
}

// A memfd is on no mount of the session: its own execution shows only in its loader's, with the memfd as the
// process's program. (reeve-confine forbids such executions where the kernel can.)
TEST_F(WatchTest, AProgramInAMemfdShowsByItsLoader) {
    watch_places({});
    const fs::path usr = "/usr";
    ASSERT_TRUE(watcher_->add_place("s", place(usr, platform::confine::kLogExecutions)));
    ASSERT_EQ(confined(
                  {usr},
                  [] {
                      const Fd memory(memfd_create("hidden", MFD_CLOEXEC));
                      const Fd file(open("/bin/cat", O_RDONLY | O_CLOEXEC));
                      char buffer[65536];
                      ssize_t size;
                      while ((size = read(file.get(), buffer, sizeof buffer)) > 0)
                          if (write(memory.get(), buffer, static_cast<std::size_t>(size)) != size) return 1;
                      char name[] = "hidden", path[] = "/dev/null";
                      char* arguments[] = {name, path, nullptr};
                      fexecve(memory.get(), arguments, environ);
                      return 127;
                  },
                  platform::confine::kLogExecutions),
              0);
    const auto ran = of_action(drained(), "process.exec");
    ASSERT_THAT(ran, SizeIs(1));
    EXPECT_THAT(ran[0]["resource"].get<std::string>(), testing::HasSubstr("ld-"));
}

TEST_F(WatchTest, AHundredThousandFiles) {
    constexpr int kFiles = 100'000, kFolders = 100;
    zone_in_memory();
    for (int i = 0; i < kFolders; ++i) fs::create_directory(zone_ / std::to_string(i));
    const auto name = [&](int i) { return zone_ / std::to_string(i % kFolders) / ("f" + std::to_string(i)); };
    for (int i = 0; i < kFiles; ++i) Fd made(open(name(i).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    ASSERT_EQ(confined({zone_},
                       [&] {
                           for (int i = 0; i < kFiles; ++i)
                               if (!touch(name(i))) return 1;
                           return 0;
                       }),
              0);
    drain();
    EXPECT_EQ(sink_.files_read(), static_cast<std::size_t>(kFiles));
    EXPECT_EQ(counts_.seen, static_cast<std::uint64_t>(kFiles));
}

// A log that takes nothing: events wait in the kernel, memory here stays bounded, and nothing is lost.
TEST_F(WatchTest, AFullLogLosesNothing) {
    constexpr int kFiles = 60'000;
    zone_in_memory();
    for (int i = 0; i < kFiles; ++i)
        Fd made(open((zone_ / std::to_string(i)).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    sink_.full = true;
    ASSERT_EQ(confined({zone_},
                       [&] {
                           for (int i = 0; i < kFiles; ++i)
                               if (!touch(zone_ / std::to_string(i))) return 1;
                           return 0;
                       }),
              0);
    EXPECT_FALSE(watcher_->drain("s")) << "it is said that not all is written down";
    const auto full = watcher_->counts("s");
    EXPECT_LT(full->seen, 20'000U);
    EXPECT_TRUE(full->exact());
    sink_.full = false;
    while (watcher_->counts("s")->seen < kFiles) poll(nullptr, 0, 10);  // the test's own deadline ends this
    drain();
    EXPECT_EQ(sink_.files_read(), static_cast<std::size_t>(kFiles));
}

TEST_F(WatchTest, ASessionIsWatchedOnceAndNotAfterItsEnd) {
    watch_places({});
    audit::WatchSetup again;
    again.session = "s";
    EXPECT_FALSE(watcher_->add(std::move(again)));
    EXPECT_TRUE(watcher_->remove("s"));
    EXPECT_FALSE(watcher_->drain("s"));
    EXPECT_TRUE(watcher_->total().exact());
}

}  // namespace
}  // namespace reeve::watch_test
