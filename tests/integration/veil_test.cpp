// What a session sees through the veil, by real programs and by each system call that could show a name: the real
// reeve-veil over a real mount.
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <set>

#include "tests/integration/veil_scene.hpp"

namespace reeve::veil_test {
namespace {

using policy::FileAction;

// Reading of named files and folders, the rest asked about; secrets are denied, and one folder is not to be seen.
constexpr const char* kFiles = R"(
    {"id": "open", "allow": ["read", "execute"], "paths": ["${home}/.bashrc", "${home}/notes/**", "${home}/.config/git/config"]},
    {"id": "free", "allow": ["read", "write", "execute"], "paths": ["${home}/free/**"]},
    {"id": "secret", "deny": ["read", "write", "execute"], "paths": ["${home}/.ssh/**", "${home}/.aws/**", "**/*.key"]},
    {"id": "hidden", "deny": ["read", "write", "execute"], "paths": ["${home}/.vault/**", "${home}/notes/.diary"], "hidden": true},
    {"id": "canary", "deny": ["read", "write", "execute"], "paths": ["${home}/.aws/credentials"], "canary": true},
    {"id": "home", "ask": ["read", "write", "execute"], "paths": ["${home}/**"],
     "except": ["${home}/.bashrc", "${home}/notes/**", "${home}/free/**", "${home}/.config/git/config"]})";

class VeilTest : public testing::Test {
  protected:
    void SetUp() override {
        if (!can_run()) GTEST_SKIP() << "the veil's mount needs root and /dev/fuse";
        options_.files = kFiles;
        options_.granted = {".bashrc", ".config/git/config"};
        options_.more = {{.path = ".cache", .kind = access::Place::Kind::scratch},
                         {.path = "work/project", .kind = access::Place::Kind::decided}};
    }
    void make() {
        scene_.emplace(options_);
        scene_->write(".bashrc", "alias\n");
        scene_->write(".config/git/config", "[user]\n\tname = T\n");
        scene_->write(".config/other", "other");
        scene_->write(".ssh/id", "secret", 0600);
        scene_->write(".vault/gold", "gold");
        scene_->write("notes/a.txt", "note a\n");
        scene_->write("notes/b.txt", "note b\n", 0600);
        scene_->write("notes/deep/c.txt", "note c\n");
        scene_->write("notes/.diary", "dear");
        scene_->write("notes/sign.key", "key");
        scene_->write("Documents/q3.xlsx", "numbers");
        scene_->write("work/project/main.c", "int main;");
        scene_->write("free/script", "#!/bin/sh\necho ran\n", 0755);
    }
    void start() {
        make();
        scene_->start();
    }
    Scene& scene() { return *scene_; }

    SceneOptions options_;
    std::optional<Scene> scene_;
};

TEST_F(VeilTest, WhatIsAllowedPassesThrough) {
    start();
    auto done = scene().run(
        "cat .bashrc .config/git/config notes/a.txt notes/deep/c.txt && ls notes && stat -c '%a %s %U' "
        "notes/b.txt && free/script");
    EXPECT_EQ(done.out,
              "alias\n[user]\n\tname = T\nnote a\nnote c\na.txt\nb.txt\ndeep\nsign.key\n600 7 UNKNOWN\nran\n")
        << done.text();
    EXPECT_EQ(scene().run("git config --global user.name").out, "T\n");
    EXPECT_EQ(scene().run("find notes -type f | sort").out,
              "notes/a.txt\nnotes/b.txt\nnotes/deep/c.txt\nnotes/sign.key\n");
    const auto reports = scene().finish();
    EXPECT_GE(reports.count({.operation = "open",
                             .path = scene().home("notes/a.txt"),
                             .action = FileAction::read,
                             .error = 0}),
              1U)
        << reports.text();
    EXPECT_GE(reports.count({.operation = "open",
                             .path = scene().home("free/script"),
                             .rule = "free",
                             .action = FileAction::execute,
                             .error = 0}),
              1U)
        << reports.text();
    EXPECT_EQ(scene().wait_for_veil(), 0);
}

TEST_F(VeilTest, WhatIsDeniedShowsItsKindAlone) {
    start();
    EXPECT_EQ(scene().run("stat -c '%F %a %s %Y' .ssh notes/sign.key Documents").out,
              "directory 0 0 0\nregular empty file 0 0 0\ndirectory 0 0 0\n");
    EXPECT_EQ(scene().run("cat .ssh/id").exit_code, 1);
    EXPECT_EQ(scene().run("ls .ssh").exit_code, 2);
    EXPECT_EQ(scene().run("cd .ssh").exit_code, 2);
    EXPECT_EQ(scene().run("cat notes/sign.key").exit_code, 1);
    EXPECT_EQ(scene().run("cat Documents/q3.xlsx").exit_code, 1);
    // Below a denied folder there is no telling what exists.
    EXPECT_EQ(scene().run("stat .ssh/id").err, scene().run("stat .ssh/id").err);
    EXPECT_EQ(scene().as_person([] {
        struct stat s;
        return ::stat(".ssh/id", &s) != 0 ? errno : 0;
    }),
              EACCES);
    EXPECT_EQ(scene().as_person([] {
        struct stat s;
        return ::stat(".ssh/none", &s) != 0 ? errno : 0;
    }),
              EACCES);
    const auto reports = scene().finish();
    const auto* read = reports.find(
        {.operation = "lookup", .path = scene().home(".ssh/id"), .rule = "secret", .error = EACCES});
    ASSERT_NE(read, nullptr) << reports.text();
    EXPECT_EQ(read->exe, "/usr/bin/cat");
    EXPECT_TRUE(read->by_rule);
    EXPECT_GT(read->pid, 0);
    EXPECT_EQ(
        reports.count(
            {.operation = "open", .path = scene().home(".ssh"), .action = FileAction::list, .error = EACCES}),
        1U)
        << reports.text();
    EXPECT_EQ(reports.count({.operation = "access", .path = scene().home(".ssh"), .error = EACCES}), 1U)
        << reports.text();
    EXPECT_EQ(
        reports.count(
            {.operation = "open", .path = scene().home("notes/sign.key"), .rule = "secret", .error = EACCES}),
        1U)
        << reports.text();
    EXPECT_EQ(reports.count({.operation = "lookup", .path = scene().home(".ssh/none")}), 1U)
        << reports.text();
    const auto* asked = reports.find({.operation = "lookup", .path = scene().home("Documents/q3.xlsx")});
    ASSERT_NE(asked, nullptr) << reports.text();
    EXPECT_EQ(asked->verdict, policy::Verdict::ask);
}

// What one system call says of a name: 0 or an errno.
const std::vector<std::pair<const char*, std::function<int(const char*)>>> kCalls = {
    {"stat",
     [](const char* p) {
         struct stat s;
         return ::lstat(p, &s) == 0 ? 0 : errno;
     }},
    {"statx",
     [](const char* p) {
         struct statx s;
         return ::statx(AT_FDCWD, p, AT_SYMLINK_NOFOLLOW, STATX_ALL, &s) == 0 ? 0 : errno;
     }},
    {"access", [](const char* p) { return ::access(p, F_OK) == 0 ? 0 : errno; }},
    {"open_path", [](const char* p) { return ::open(p, O_PATH | O_NOFOLLOW) >= 0 ? 0 : errno; }},
    {"statfs",
     [](const char* p) {
         struct statfs s;
         return ::statfs(p, &s) == 0 ? 0 : errno;
     }},
    {"inotify",
     [](const char* p) {
         return ::inotify_add_watch(::inotify_init1(0), p, IN_ALL_EVENTS) >= 0 ? 0 : errno;
     }},
    {"getxattr",
     [](const char* p) {
         char v[64];
         return ::lgetxattr(p, "security.selinux", v, sizeof v) >= 0 || errno == ENODATA ||
                        errno == EOPNOTSUPP
                    ? 0
                    : errno;
     }},
    {"listxattr",
     [](const char* p) {
         char v[64];
         return ::llistxattr(p, v, sizeof v) >= 0 || errno == EOPNOTSUPP ? 0 : errno;
     }},
    {"handle",
     [](const char* p) {
         char bytes[sizeof(file_handle) + 128];
         auto* handle = reinterpret_cast<file_handle*>(bytes);
         handle->handle_bytes = 128;
         int mount = 0;
         return ::name_to_handle_at(AT_FDCWD, p, handle, &mount, 0) == 0 || errno == EOPNOTSUPP ? 0 : errno;
     }},
    {"readdir",
     [](const char* p) {
         const std::string path = p;
         const auto slash = path.rfind('/');
         const std::string name = path.substr(slash == std::string::npos ? 0 : slash + 1);
         DIR* folder = ::opendir(slash == std::string::npos ? "." : path.substr(0, slash).c_str());
         if (folder == nullptr) return errno;
         while (const dirent* entry = ::readdir(folder))
             if (name == entry->d_name) return 0;
         return ENOENT;
     }},
};

TEST_F(VeilTest, AllCallsAgreeOnWhichNamesExist) {
    start();
    const std::vector<std::pair<const char*, int>> names = {

        {"notes/a.txt", 0},
        {"notes/deep", 0},
        {"notes/sign.key", 0},  // denied, in a folder that is listed
        {"notes/.diary", ENOENT},
        {"notes/nothing", ENOENT},
        {"notes/none.key", ENOENT},
        {".bashrc", 0},
        {".cache", 0},
        {".config", 0},
        {".config/git", 0},
        {".config/git/config", 0},
        {"work/project", 0},
        {".aws", 0},
        {".aws/credentials", 0},
        {".vault", ENOENT},
        {"nothing", ENOENT}};
    for (const auto& [name, expected] : names) {
        for (const auto& [call, make] : kCalls)
            EXPECT_EQ(scene().as_person([&] { return make(name); }), expected) << call << " of " << name;
    }
    // Names of a way that may not be listed: they can be looked at by who knows them, and are in no listing.
    for (const char* name : {".ssh", "Documents", ".config/other", "notes"}) {
        for (const auto& [call, make] : kCalls)
            EXPECT_EQ(scene().as_person([&] { return make(name); }),
                      std::string(call) == "readdir" ? ENOENT : 0)
                << call << " of " << name;
    }
    // Below what is denied.
    for (const char* name : {".ssh/id", ".ssh/none", "Documents/q3.xlsx", ".vault/gold"}) {
        for (const auto& [call, make] : kCalls)
            EXPECT_EQ(scene().as_person([&] { return make(name); }), name[1] == 'v' ? ENOENT : EACCES)
                << call << " of " << name;
    }
}

TEST_F(VeilTest, AWayListsWhatItLeadsTo) {
    start();
    EXPECT_EQ(scene().run("ls -A").out, ".aws\n.bashrc\n.cache\n.config\nwork\n");
    EXPECT_EQ(scene().run("ls -A .config .config/git .aws work").out,
              ".aws:\ncredentials\n\n.config:\ngit\n\n.config/git:\nconfig\n\nwork:\nproject\n");
    EXPECT_EQ(scene().run("stat -c '%F %a %u' . .cache .config work/project").out,
              "directory 755 54321\ndirectory 755 54321\ndirectory 755 54321\ndirectory 755 54321\n");
    scene().bind("work/project");
    EXPECT_EQ(scene().run("cat work/project/main.c; ls work").out, "int main;project\n");
    // ls of what it lists fails nowhere.
    EXPECT_EQ(scene().run("ls -laR . >/dev/null").err, "");
}

// The folder that leads to a granted file is a link, or not there: then it is what policy says of such a name.
TEST_F(VeilTest, AWayToAFileIsWhatTheHostHas) {
    options_.granted = {".bashrc", ".config/git/config", ".emacs.d/init.el", ".vim/vimrc"};
    options_.files.insert(options_.files.rfind("{\"id\": \"home\""),
                          R"({"id": "links", "allow": ["read"], "paths": ["${home}/.vim"]},)");
    options_.files.replace(options_.files.rfind("\"except\": ["), 11, R"("except": ["${home}/.vim", )");
    make();
    scene().write("notes/vim/vimrc", "set");
    fs::create_symlink("notes/vim", scene().host(".vim"));
    scene().start();
    EXPECT_EQ(scene().run("ls -A; cat .vim/vimrc").out, ".aws\n.bashrc\n.cache\n.config\n.vim\nwork\nset");
    EXPECT_EQ(scene().run("ls .emacs.d").exit_code, 2);
    scene().write(".emacs.d/init.el", "(setq)");
    EXPECT_EQ(scene().run("ls -A .emacs.d").out, "");  // not granted after all
    EXPECT_EQ(scene().run("ls -A | head -5 | tail -1").out, ".emacs.d\n");
}

TEST_F(VeilTest, ALookThatARuleDeniesIsReportedThoughNothingIsThere) {
    options_.files = R"({"id": "secret", "deny": ["read"], "paths": ["${home}/.gnupg/**"]},
                        {"id": "home", "ask": ["read"], "paths": ["${home}/**"]})";
    options_.granted = {};
    options_.more = {};
    scene_.emplace(options_);
    scene().start();
    EXPECT_EQ(scene().run("cat .gnupg").exit_code, 1);
    EXPECT_EQ(scene().run("cat .nothing").exit_code, 1);
    const auto reports = scene().finish();
    EXPECT_EQ(reports.count(
                  {.operation = "lookup", .path = scene().home(".gnupg"), .rule = "secret", .error = ENOENT}),
              1U)
        << reports.text();
    EXPECT_EQ(reports.count({.path = scene().home(".nothing")}), 0U) << reports.text();
}

TEST_F(VeilTest, ACanaryLooksLikeAFileAndItsTouchIsNews) {
    for (const bool real : {false, true}) {
        make();
        if (real) scene().write(".aws/credentials", "real keys");
        scene().start();
        EXPECT_EQ(scene().run("stat -c '%F %a %s %u' .aws/credentials .aws").out,
                  "regular empty file 600 0 54321\ndirectory 755 0 54321\n");
        EXPECT_EQ(scene().run("ls -l .aws | tail -1 | cut -c1-10").out, "-rw-------\n");
        EXPECT_EQ(scene().run("cat .aws/credentials").exit_code, 1);
        EXPECT_EQ(scene().run("rm -f .aws/credentials").exit_code, 1);
        EXPECT_EQ(scene().run("echo x > .aws/credentials").exit_code, 2);
        EXPECT_EQ(scene().run("ln .aws/credentials free/stolen").exit_code, 1);
        EXPECT_EQ(scene().run("mv .aws/credentials free/stolen").exit_code, 1);
        EXPECT_EQ(fs::exists(scene().host(".aws/credentials")), real);
        const auto reports = scene().finish();
        const auto path = scene().home(".aws/credentials");
        EXPECT_EQ(reports.count({.operation = "open", .path = path, .error = EACCES, .canary = true}), 2U)
            << reports.text();
        EXPECT_GE(reports.count({.operation = "unlink", .path = path, .rule = "canary", .canary = true}), 1U)
            << reports.text();
        EXPECT_GE(reports.count({.operation = "stat", .path = path, .canary = false}), 1U) << reports.text();
        EXPECT_EQ(reports.count({.operation = "stat", .canary = true}), 0U) << reports.text();
        scene_.reset();
    }
}

TEST_F(VeilTest, NamesAreBytes) {
    make();
    const std::vector<std::string> names = {"back\\slash", "new\nline",           "\xff\xfe", " ",
                                            "-rf",         std::string(255, 'x'), "\xc3\xa9"};
    for (const auto& name : names) scene().write("notes/bytes/" + name, name);
    scene().start();
    for (const auto& name : names) {
        EXPECT_EQ(scene().as_person([&] {
            const int fd = ::open(("notes/bytes/" + name).c_str(), O_RDONLY);
            char text[512];
            const auto size = ::read(fd, text, sizeof text);
            return size == static_cast<ssize_t>(name.size()) && name == std::string(text, name.size()) ? 0
                                                                                                       : 1;
        }),
                  0)
            << name;
    }
    EXPECT_EQ(scene().run("ls notes/bytes | wc -c").exit_code, 0);
    const auto reports = scene().finish();
    for (const auto& name : names)
        EXPECT_EQ(reports.count({.operation = "open", .path = scene().home("notes/bytes/" + name)}), 1U)
            << name;
}

TEST_F(VeilTest, KilledItLeavesNothingToReach) {
    start();
    EXPECT_EQ(scene().run("cat notes/a.txt").exit_code, 0);
    ::kill(scene().veil(), SIGKILL);
    scene().wait_for_veil();
    EXPECT_EQ(scene().as_person([] { return ::open("notes/a.txt", O_RDONLY) >= 0 ? 0 : errno; }), ENOTCONN);
    EXPECT_EQ(scene().as_person([] {
        struct stat s;
        return ::stat("notes", &s) == 0 ? 0 : errno;
    }),
              ENOTCONN);
}

// A request that nobody has taken yet does not keep its caller from being killed.
TEST_F(VeilTest, StoppedItHoldsNobodyWhoIsKilled) {
    start();
    ASSERT_EQ(scene().run("cat notes/a.txt").exit_code, 0);
    ::kill(scene().veil(), SIGSTOP);
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl("/bin/cat", "cat", scene().home("notes/a.txt").c_str(), nullptr);
        ::_exit(1);
    }
    ::usleep(50'000);
    EXPECT_EQ(::waitpid(child, nullptr, WNOHANG), 0);
    ::kill(child, SIGKILL);
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    ::kill(scene().veil(), SIGCONT);
    EXPECT_EQ(scene().run("cat notes/a.txt").out, "note a\n");
}

// The person's own processes cannot look into it, and it could not do much.
TEST_F(VeilTest, TheProcessHasNoRightsAndIsClosed) {
    start();
    ASSERT_EQ(scene().run("cat notes/a.txt").exit_code, 0);
    const std::string pid = std::to_string(scene().veil());
    const auto status = scene().run("cat /proc/" + pid + "/status").out;
    for (const char* line :
         {"CapEff:\t0000000000000000", "CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"})
        EXPECT_NE(status.find(line), std::string::npos) << line;
    EXPECT_EQ(scene().run("ls /proc/" + pid + "/fd").exit_code, 2);
    EXPECT_EQ(scene().run("cat /proc/" + pid + "/maps").exit_code, 1);
}

TEST_F(VeilTest, LinksAreObjectsOfTheirOwn) {
    make();
    const auto link = [&](const char* target, const char* path) {
        fs::create_symlink(target, scene().host(path));
    };
    link("a.txt", "notes/to_a");
    link("../.ssh/id", "notes/to_secret");
    link("deep", "notes/to_deep");
    link("notes/a.txt", "to_a");          // asked about, and so not read
    link("../.vault", "notes/link.key");  // denied
    scene().start();
    EXPECT_EQ(scene().run("cat notes/to_a notes/to_deep/c.txt; readlink notes/to_secret").out,
              "note a\nnote c\n../.ssh/id\n");
    EXPECT_EQ(scene().run("cat notes/to_secret").exit_code, 1);
    EXPECT_EQ(scene().run("readlink to_a; cat to_a; readlink notes/link.key").out, "");
    EXPECT_EQ(scene().run("stat -c '%F %a %s' to_a notes/link.key").out,
              "symbolic link 0 0\nsymbolic link 0 0\n");
    const auto reports = scene().finish();
    EXPECT_EQ(reports.count({.operation = "readlink", .path = scene().home("to_a"), .error = EACCES}), 2U)
        << reports.text();
    EXPECT_EQ(
        reports.count({.operation = "readlink", .path = scene().home("notes/link.key"), .rule = "secret"}),
        1U);
}

TEST_F(VeilTest, CountsAreExact) {
    start();
    ASSERT_EQ(scene().as_person([] {
        struct stat status;
        for (int i = 0; i < 500; ++i) {
            if (::stat("Documents/x", &status) == 0 || errno != EACCES) return 1;
            if (::open("notes/sign.key", O_RDONLY) >= 0) return 2;
            if (::stat("notes/sign.key", &status) != 0) return 3;
            if (::stat((".ssh/" + std::to_string(i)).c_str(), &status) == 0) return 4;
        }
        return 0;
    }),
              0);
    const auto reports = scene().finish();
    EXPECT_EQ(reports.count({.operation = "lookup", .path = scene().home("Documents/x")}), 500U);
    EXPECT_EQ(reports.count({.operation = "open", .path = scene().home("notes/sign.key")}), 500U);
    EXPECT_EQ(reports.count({.operation = "stat", .path = scene().home("notes/sign.key")}), 500U);
    EXPECT_EQ(reports.count({.operation = "lookup", .rule = "secret", .error = EACCES}), 500U);
    EXPECT_LT(reports.all.size(), 1500U);  // repeats are one report each, of each short while
}

TEST_F(VeilTest, ItEndsWithReeved) {
    start();
    EXPECT_EQ(scene().run("cat notes/a.txt").exit_code, 0);
    scene().finish();
    EXPECT_EQ(scene().wait_for_veil(), 0);
    EXPECT_EQ(scene().as_person([] { return ::open("notes/a.txt", O_RDONLY) >= 0 ? 0 : errno; }), ENOTCONN);
}

}  // namespace
}  // namespace reeve::veil_test
