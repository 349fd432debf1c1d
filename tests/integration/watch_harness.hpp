// A session in small: a child in a mount namespace of its own, whose zone is a detached clone that was marked
// before it was moved in, as reeve-confine does it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "daemon/audit/watcher.hpp"
#include "platform/watch.hpp"
#include "tests/unit/daemon/audit/keeping_sink.hpp"

namespace reeve::watch_test {

namespace fs = std::filesystem;
namespace watch = platform::watch;
using platform::Fd;
inline constexpr unsigned kAll =
    platform::confine::kLogOpens | platform::confine::kLogChanges | platform::confine::kLogExecutions;

using audit::test::KeepingSink;

inline Fd clone_tree(int at, const char* path) {
    return Fd(static_cast<int>(
        syscall(SYS_open_tree, at, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)));
}

class WatchTest : public testing::Test {
  protected:
    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "mounts and their marks need root";
        char name[] = "/tmp/reeve-watch-XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder_ = name;
        zone_ = folder_ / "zone";
        fs::create_directory(zone_);
    }
    void TearDown() override {
        watcher_.reset();
        if (folder_.empty()) return;
        umount2(zone_.c_str(), MNT_DETACH);  // where a test had mounted something
        fs::remove_all(folder_);
    }
    // For tests with many files.
    void zone_in_memory() { ASSERT_EQ(mount("reeve-test", zone_.c_str(), "tmpfs", 0, "mode=0700"), 0); }

    static Fd same(const Fd& fd) { return Fd(fcntl(fd.get(), F_DUPFD_CLOEXEC, 0)); }
    static watch::Place place(const fs::path& path, unsigned log = kAll) {
        watch::Place place;
        place.path = path;
        place.root.reset(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        place.log = log;
        return place;
    }

    // Starts the watcher with one session, "s", that has these places.
    void watch_places(std::vector<watch::Place> places, watch::Reports reports = watch::Reports::kHandles,
                      audit::WatcherOptions options = {}) {
        auto group = watch::open_group(reports);
        ASSERT_TRUE(group) << group.error().text();
        group_ = std::move(*group);
        auto watcher = audit::Watcher::start(sink_, std::move(options));
        ASSERT_TRUE(watcher);
        watcher_ = std::move(*watcher);
        audit::WatchSetup setup;
        setup.session = "s";
        setup.context = std::make_shared<const audit::SessionContext>(audit::SessionFacts{.session = "s"});
        (reports == watch::Reports::kHandles ? setup.by_handle : setup.by_descriptor) = same(group_);
        setup.places = std::move(places);
        const auto added = watcher_->add(std::move(setup));
        ASSERT_TRUE(added) << added.error().text();
    }

    // Runs `body` in a child of its own mount namespace in which `zones` are marked clones. Gives its wait
    // status.
    int confined(const std::vector<fs::path>& zones, const std::function<int()>& body, unsigned log = kAll) {
        const pid_t child = start_confined(zones, body, log);
        int status = -1;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        return status;
    }
    pid_t start_confined(const std::vector<fs::path>& zones, const std::function<int()>& body,
                         unsigned log = kAll) {
        const pid_t child = fork();
        if (child != 0) return child;
        if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            _exit(120);
        for (const fs::path& zone : zones) {
            const Fd tree = clone_tree(AT_FDCWD, zone.c_str());
            if (!tree || !watch::mark_mount(group_.get(), tree.get(), log)) _exit(121);
            if (syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, zone.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
                _exit(122);
        }
        _exit(body());
    }
    // A program in place of the child, in `directory`.
    static std::function<int()> program(std::vector<std::string> command, fs::path directory) {
        return [command = std::move(command), directory = std::move(directory)] {
            std::vector<char*> arguments;
            for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
            arguments.push_back(nullptr);
            if (chdir(directory.c_str()) != 0) return 125;
            execvp(arguments[0], arguments.data());
            return 127;
        };
    }
    static bool touch(const fs::path& path) {
        return Fd(open(path.c_str(), O_RDONLY | O_CLOEXEC)).get() >= 0;
    }

    // Drains, and checks the equation against the records themselves.
    void drain() {
        const auto counts = watcher_->drain("s");
        ASSERT_TRUE(counts) << counts.error().text();
        counts_ = *counts;
        EXPECT_TRUE(counts_.exact());
        EXPECT_EQ(counts_.waiting, 0U);
        EXPECT_EQ(sink_.accesses(), counts_.recorded + counts_.coalesced - counts_.joined);
    }
    // What was accessed; the ends of processes stand in sink_ too.
    std::vector<nlohmann::json> drained() {
        drain();
        return accesses(sink_.records());
    }
    static std::vector<nlohmann::json> accesses(std::vector<nlohmann::json> records) {
        std::erase_if(records, [](const auto& record) { return record["action"] == "process.end"; });
        return records;
    }
    static std::vector<nlohmann::json> of_action(const std::vector<nlohmann::json>& records,
                                                 std::string_view action) {
        std::vector<nlohmann::json> found;
        for (const auto& record : records) {
            if (record["action"] == action) found.push_back(record);
        }
        return found;
    }
    static std::set<std::string> resources(const std::vector<nlohmann::json>& records,
                                           std::string_view action) {
        std::set<std::string> found;
        for (const auto& record : of_action(records, action))
            found.insert(record["resource"].get<std::string>());
        return found;
    }

    fs::path folder_, zone_;
    Fd group_;
    KeepingSink sink_;
    std::unique_ptr<audit::Watcher> watcher_;
    audit::Counts counts_;
};

}  // namespace reeve::watch_test
