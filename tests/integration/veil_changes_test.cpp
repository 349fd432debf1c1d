// What a session changes through the veil: exactly what it would be without it where policy allows that, and nothing
// where it does not.
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/integration/veil_scene.hpp"

namespace reeve::veil_test {
namespace {

using policy::FileAction;

constexpr const char* kFiles = R"(
    {"id": "free", "allow": ["read", "write", "execute"], "paths": ["${home}/free/**"]},
    {"id": "notes", "allow": ["read"], "paths": ["${home}/notes/**"]},
    {"id": "drop", "allow": ["write"], "paths": ["${home}/drop/**"]},
    {"id": "keys", "deny": ["read", "write", "execute"], "paths": ["**/*.key"]},
    {"id": "hooks", "deny": ["write"], "paths": ["**/.git/hooks/*"], "except": ["**/.git/hooks/*.sample"]})";

int result(int returned) {
    return returned >= 0 ? 0 : errno;
}

class VeilChanges : public testing::Test {
  protected:
    void SetUp() override {
        if (!can_run()) GTEST_SKIP() << "the veil's mount needs root and /dev/fuse";
        options_.files = kFiles;
        options_.more = {{.path = ".cache", .kind = access::Place::Kind::scratch}};
    }
    void start() {
        scene_.emplace(options_);
        scene_->write("free/file", "free\n");
        scene_->write("notes/a.txt", "note\n", 0755);
        scene_->write("drop/in", "dropped\n");
        scene_->write("free/old.key", "key");
        scene_->make_directory("free/folder");
        scene_->start();
    }
    Scene& scene() { return *scene_; }
    std::string host_text(const std::string& path) {
        std::ifstream file(scene().host(path));
        return {std::istreambuf_iterator<char>(file), {}};
    }

    SceneOptions options_;
    std::optional<Scene> scene_;
};

// The same script natively and through the veil: the trees are equal in names, modes, sizes, links and contents.
TEST_F(VeilChanges, AllowedWorkIsAsItIsWithoutTheVeil) {
    start();
    const std::string work = R"sh(
set -e; mkdir -p $1/t; cd $1/t; umask 027
echo one > a; echo two >> a; : > empty; mkdir d; chmod 1770 d; cp a d/b; mv d/b d/c
ln d/c hard; ln -s ../t/a soft; ln -s /nowhere dangling; mkfifo pipe; touch -d @1000000000 d/c; truncate -s 10000 sparse
dd if=/dev/urandom of=random bs=64k count=20 2>/dev/null; cp random copy; cmp random copy
chmod 4755 copy; echo x >> copy; mv -T d e; mkdir gone; rmdir gone; rm empty
printf x | dd of=random conv=notrunc bs=1 seek=5 2>/dev/null
python3 -c '
import fcntl, mmap, os, sqlite3
os.setxattr("a", "user.note", b"v")
assert os.getxattr("a", "user.note") == b"v" and "user.note" in os.listxattr("a")
os.removexattr("a", "user.note")
f = os.open("a", os.O_RDWR | os.O_CREAT)
os.unlink("a")
assert os.fstat(f).st_nlink == 0
os.ftruncate(f, 3)
assert os.pread(f, 9, 0) == b"one"
g = os.open("new", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o666)
os.write(g, b"12")
os.pwrite(g, b"3", 0)
assert os.lseek(g, 0, os.SEEK_END) == 3
m = mmap.mmap(g, 3)
m[0] = 65
m.flush()
assert os.pread(g, 3, 0)[0] == 65
os.posix_fallocate(g, 0, 4096)
os.fsync(g)
fcntl.flock(g, fcntl.LOCK_EX)
fcntl.lockf(g, fcntl.LOCK_UN)
c = sqlite3.connect("data.db")
c.execute("create table t(x)")
c.executemany("insert into t values(?)", [(i,) for i in range(500)])
c.commit()
assert c.execute("select sum(x) from t").fetchone() == (124750,)
c.close()
'
rm data.db
git init -q repo; cd repo; git config user.name T; git config user.email t@example.com; echo text > f; git add f
git commit -qm m; git mv f g; test "$(git status --porcelain)" = "R  f -> g"; cd ..; rm -rf repo
tar cf all.tar e hard; mkdir x; tar xf all.tar -C x; rm all.tar)sh";
    const std::string list = R"sh(
cd $1/t; find . ! -name random ! -name copy ! -type d -printf '%P %y %m %n %s %l\n' | sort; find . -type d -printf '%P %m\n' | sort
cat e/c; md5sum e/c x/e/c new; stat -c '%Y' e/c x/e/c; stat -c %a copy)sh";
    const auto once = [&](const std::string& folder) {
        const auto done = scene().run("set -- " + folder + work);
        EXPECT_EQ(done.exit_code, 0) << folder << done.text();
        return scene().run("set -- " + folder + "; " + list).out;
    };
    scene().run("true");
    const std::string native = scene().host("").parent_path() / "native";
    fs::create_directory(native);
    fs::create_directory(native + "/folder");
    fs::permissions(native, fs::perms(0777));
    const auto with_veil = once("free");
    EXPECT_FALSE(with_veil.empty());
    EXPECT_EQ(with_veil, once(native));
}

TEST_F(VeilChanges, WhatIsDeniedLeavesTheHostAlone) {
    start();
    const auto person = [&](const std::function<int()>& body) { return scene().as_person(body); };
    EXPECT_EQ(person([] { return result(::open("notes/new", O_CREAT | O_WRONLY, 0644)); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("notes/a.txt", O_WRONLY)); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("notes/a.txt", O_RDWR)); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("notes/a.txt", O_RDONLY | O_TRUNC)); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("drop/in", O_RDWR)); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("free/new.key", O_CREAT | O_WRONLY, 0644)); }), EACCES);
    EXPECT_EQ(person([] { return result(::mkdir("notes/d", 0755)); }), EACCES);
    EXPECT_EQ(person([] { return result(::mkdir("free/d.key", 0755)); }), EACCES);
    EXPECT_EQ(person([] { return result(::symlink("x", "free/l.key")); }), EACCES);
    EXPECT_EQ(person([] { return result(::mknod("free/n.key", S_IFIFO | 0644, 0)); }), EACCES);
    EXPECT_EQ(person([] { return result(::link("free/file", "free/h.key")); }), EACCES);
    EXPECT_EQ(person([] { return result(::link("free/old.key", "free/h")); }), EACCES);
    EXPECT_EQ(person([] { return result(::rename("free/file", "free/r.key")); }), EACCES);
    EXPECT_EQ(person([] { return result(::rename("free/old.key", "free/r")); }), EACCES);
    EXPECT_EQ(person([] { return result(::rename("free/file", "free/old.key")); }), EACCES);
    EXPECT_EQ(
        person([] {
            return result(::renameat2(AT_FDCWD, "free/file", AT_FDCWD, "free/old.key", RENAME_EXCHANGE));
        }),
        EACCES);
    EXPECT_EQ(person([] { return result(::rename("notes/a.txt", "free/r")); }), EACCES);
    EXPECT_EQ(person([] { return result(::unlink("notes/a.txt")); }), EACCES);
    EXPECT_EQ(person([] { return result(::unlink("free/old.key")); }), EACCES);
    EXPECT_EQ(person([] { return result(::rmdir("notes")); }), EACCES);
    EXPECT_EQ(person([] { return result(::truncate("notes/a.txt", 0)); }), EACCES);
    EXPECT_EQ(person([] { return result(::chmod("notes/a.txt", 0600)); }), EACCES);
    EXPECT_EQ(person([] { return result(::chown("notes/a.txt", kPerson, kPerson)); }), EACCES);
    EXPECT_EQ(person([] { return result(::utimensat(AT_FDCWD, "notes/a.txt", nullptr, 0)); }), EACCES);
    EXPECT_EQ(person([] { return result(::setxattr("notes/a.txt", "user.x", "1", 1, 0)); }), EACCES);
    EXPECT_EQ(person([] { return result(::removexattr("notes/a.txt", "user.x")); }), EACCES);
    EXPECT_EQ(person([] { return result(::open("free", O_TMPFILE | O_RDWR, 0600)); }), EOPNOTSUPP);
    EXPECT_EQ(scene().run("free/file; notes/a.txt").exit_code, 126);  // read without execute
    // Ways stay.
    EXPECT_EQ(person([] { return result(::mkdir(".cache", 0755)); }), EEXIST);
    EXPECT_EQ(person([] { return result(::rmdir(".cache")); }), EBUSY);
    EXPECT_EQ(person([] { return result(::rename(".cache", "free/c")); }), EBUSY);
    EXPECT_EQ(person([] { return result(::rename("free/folder", ".cache")); }), EBUSY);
    EXPECT_EQ(person([] { return result(::chmod(".cache", 0777)); }), EACCES);

    EXPECT_EQ(host_text("notes/a.txt"), "note\n");
    EXPECT_EQ(host_text("free/file"), "free\n");
    EXPECT_EQ(host_text("free/old.key"), "key");
    for (const char* name : {"notes/new", "free/new.key", "notes/d", "free/d.key", "free/l.key", "free/n.key",
                             "free/h.key", "free/h", "free/r.key", "free/r", ".cache"})
        EXPECT_FALSE(fs::exists(fs::symlink_status(scene().host(name)))) << name;
    const auto reports = scene().finish();
    const auto denied = [&](const char* operation, const char* path, FileAction action) {
        return reports.count(
            {.operation = operation, .path = scene().home(path), .action = action, .error = EACCES});
    };
    EXPECT_EQ(denied("open", "notes/new", FileAction::create), 1U) << reports.text();
    EXPECT_EQ(denied("open", "notes/a.txt", FileAction::write), 3U);
    EXPECT_EQ(denied("open", "notes/a.txt", FileAction::execute), 1U);
    EXPECT_EQ(denied("open", "drop/in", FileAction::read), 1U);
    EXPECT_EQ(denied("mkdir", "free/d.key", FileAction::create), 1U);
    EXPECT_EQ(denied("unlink", "free/old.key", FileAction::remove), 1U);
    EXPECT_EQ(denied("chmod", "notes/a.txt", FileAction::attributes), 1U);
    EXPECT_EQ(denied("setxattr", "notes/a.txt", FileAction::attributes), 1U);
    const auto* renamed = reports.find(
        {.operation = "rename", .path = scene().home("free/file"), .target = scene().home("free/r.key")});
    ASSERT_NE(renamed, nullptr);
    EXPECT_EQ(renamed->rule, "keys");
    EXPECT_EQ(renamed->error, EACCES);
}

TEST_F(VeilChanges, ARenameOrLinkGainsNothing) {
    start();
    const auto person = [&](const std::function<int()>& body) { return scene().as_person(body); };
    scene().make_directory("drop/tree");
    scene().write("drop/tree/x", "dropped");
    scene().make_directory("free/x/hooks");
    scene().write("free/x/hooks/evil", "evil");
    scene().make_directory("free/plain/sub");
    // What may be written and not read does not become readable by a new name.
    EXPECT_EQ(person([] { return result(::rename("drop/in", "free/in")); }), EXDEV);
    EXPECT_EQ(person([] { return result(::link("drop/in", "free/in")); }), EXDEV);
    EXPECT_EQ(person([] {
                  return result(::renameat2(AT_FDCWD, "free/file", AT_FDCWD, "drop/in", RENAME_EXCHANGE));
              }),
              EXDEV);
    EXPECT_EQ(person([] { return result(::rename("drop/tree", "free/tree")); }), EXDEV);
    EXPECT_EQ(person([] { return result(::rename("drop/in", "drop/out")); }), 0);
    // A folder that was built elsewhere does not become one that is protected.
    EXPECT_EQ(person([] { return result(::rename("free/x", "free/.git")); }), EXDEV);
    EXPECT_EQ(person([] { return result(::rename("free/plain", "free/moved")); }), 0);
    EXPECT_EQ(scene().run("mv free/x free/.git").exit_code, 1);
    EXPECT_FALSE(fs::exists(scene().host("free/.git/hooks/evil")));
    EXPECT_EQ(scene().run("cd free/moved && mv ../moved ../again && touch here && ls ../again").out,
              "here\nsub\n");
    const auto reports = scene().finish();
    EXPECT_GE(reports.count({.operation = "rename",
                             .path = scene().home("free/x"),
                             .target = scene().home("free/.git"),
                             .error = EXDEV}),
              1U)
        << reports.text();
}

// Who follows .git on the host would run what was written as "other/hooks/pre-commit".
TEST_F(VeilChanges, NoLinkStandsWhereRulesSpeakOfNamesBelow) {
    start();
    const auto person = [&](const std::function<int()>& body) { return scene().as_person(body); };
    EXPECT_EQ(person([] { return result(::symlink("other", "free/.git")); }), EACCES);
    EXPECT_EQ(person([] { return result(::symlink("other", "free/soft")); }), 0);
    EXPECT_EQ(person([] { return result(::rename("free/soft", "free/.git")); }), EACCES);
    EXPECT_EQ(person([] { return result(::link("free/soft", "free/.git")); }), EACCES);
    EXPECT_EQ(person([] { return result(::mkdir("free/.git", 0755)); }), 0);
    EXPECT_EQ(person([] {
                  return result(::renameat2(AT_FDCWD, "free/soft", AT_FDCWD, "free/.git", RENAME_EXCHANGE));
              }),
              EACCES);
    EXPECT_EQ(person([] {
                  return result(::renameat2(AT_FDCWD, "free/.git", AT_FDCWD, "free/soft", RENAME_EXCHANGE));
              }),
              EACCES);
    EXPECT_EQ(person([] { return result(::rename("free/soft", "free/softer")); }), 0);
    EXPECT_TRUE(fs::is_directory(fs::symlink_status(scene().host("free/.git"))));
}

TEST_F(VeilChanges, APolicyThatObservesBlocksNothingAndTellsAll) {
    options_.mode = "observe";
    start();
    EXPECT_EQ(
        scene().run("cat free/old.key && echo x > notes/new && mv notes/a.txt free/new.key && ls -A").out,
        "key.cache\ndrop\nfree\nnotes\n");
    EXPECT_EQ(host_text("free/new.key"), "note\n");
    const auto reports = scene().finish();
    const auto* read =
        reports.find({.operation = "open", .path = scene().home("free/old.key"), .rule = "keys", .error = 0});
    ASSERT_NE(read, nullptr) << reports.text();
    EXPECT_EQ(read->verdict, policy::Verdict::deny);
}

TEST_F(VeilChanges, EachChangeIsReportedOnceWithWhatItWas) {
    start();
    ASSERT_EQ(scene().as_person([] {
        const int fd = ::open("free/new", O_CREAT | O_WRONLY, 0644);
        int failed = fd < 0;
        failed |= ::rename("free/new", "free/other") | ::link("free/other", "free/hard") |
                  ::symlink("other", "free/soft");
        failed |= ::mkdir("free/made", 0755) | ::rmdir("free/made") | ::unlink("free/hard") |
                  ::truncate("free/other", 5) | ::chmod("free/other", 0600);
        return failed;
    }),
              0);
    const auto reports = scene().finish();
    const auto once = [&](Wanted wanted) {
        wanted.error = 0;
        EXPECT_EQ(reports.count(wanted), 1U) << *wanted.operation << "\n" << reports.text();
    };
    const auto at = [&](const char* path) { return scene().home(path); };
    once({.operation = "open", .path = at("free/new"), .rule = "free", .action = FileAction::create});
    once({.operation = "rename",
          .path = at("free/new"),
          .target = at("free/other"),
          .action = FileAction::rename});
    once({.operation = "link",
          .path = at("free/other"),
          .target = at("free/hard"),
          .action = FileAction::link});
    once({.operation = "symlink", .path = at("free/soft"), .target = "other", .action = FileAction::create});
    once({.operation = "mkdir", .path = at("free/made"), .action = FileAction::create});
    once({.operation = "rmdir", .path = at("free/made"), .action = FileAction::remove});
    once({.operation = "unlink", .path = at("free/hard"), .action = FileAction::remove});
    once({.operation = "truncate", .path = at("free/other"), .action = FileAction::write});
    once({.operation = "chmod", .path = at("free/other"), .action = FileAction::attributes});
}

// Its thread group is known by any of its threads; what it starts is another.
TEST_F(VeilChanges, WhatTheKeeperDoesIsDecidedAndNotReported) {
    options_.keeper = ::getpid();
    start();
    int own = 0, of_thread = 0;
    own = result(::open(scene().home("free/old.key").c_str(), O_RDONLY));
    std::thread([&] { of_thread = result(::open(scene().home("free/old.key").c_str(), O_RDONLY)); }).join();
    EXPECT_EQ(own, EACCES);
    EXPECT_EQ(of_thread, EACCES);
    EXPECT_EQ(scene().as_person([] { return result(::open("free/old.key", O_RDONLY)); }), EACCES);
    EXPECT_EQ(scene().finish().count({.operation = "open", .path = scene().home("free/old.key")}), 1U);
}

}  // namespace
}  // namespace reeve::veil_test
