// Who did it: process numbers that are used again, queues that are too small, and strace as the reference.
#include <gmock/gmock.h>
#include <linux/sched.h>

#include <sstream>

#include "tests/integration/watch_harness.hpp"

namespace reeve::watch_test {
namespace {

using testing::SizeIs;

// The pipeline without its thread, so that a test decides when the kernel's queue is read.
class PipelineTest : public WatchTest {
  protected:
    void SetUp() override {
        WatchTest::SetUp();
        if (!IsSkipped()) begin(watch::Queue::kUnlimited);
    }
    void begin(watch::Queue queue) {
        auto group = watch::open_group(watch::Reports::kHandles, queue);
        ASSERT_TRUE(group) << group.error().text();
        group_ = std::move(*group);
        reader_ = std::make_unique<watch::Reader>(same(group_), watch::Reports::kHandles);
        mark_ = clone_tree(AT_FDCWD, zone_.c_str());
        ASSERT_TRUE(watch::mark_mount(group_.get(), mark_.get(), kAll));
        session_ = std::make_shared<audit::WatchedSession>(
            std::make_shared<const audit::SessionContext>(audit::SessionFacts{}));
        ASSERT_TRUE(session_->locator.add(place(zone_)));
    }
    void read_all() {
        for (;;) {
            const auto events = reader_->read();
            ASSERT_TRUE(events) << events.error().text();
            if (events->empty()) break;
            pipeline_.take(session_, *events);
            EXPECT_TRUE(session_->counts.exact());
        }
        pipeline_.drained(session_);
    }
    std::vector<nlohmann::json> records() {
        EXPECT_TRUE(pipeline_.flush(audit::Pipeline::Flush::kAll));
        EXPECT_TRUE(session_->counts.exact());
        return accesses(sink_.records());
    }
    std::vector<nlohmann::json> ends() { return of_action(sink_.records(), "process.end"); }
    // A child with this number (0: any) that opens `name` on the marked mount whenever it is told to, until
    // told to end.
    struct Child {
        pid_t pid = -1;
        Fd tell, told;
        void open() const {
            char byte = 'o';
            ASSERT_EQ(write(tell.get(), &byte, 1), 1);
            ASSERT_EQ(read(told.get(), &byte, 1), 1);
        }
        // By a word, because children made later hold the pipe too.
        void end() {
            const char byte = 'e';
            EXPECT_EQ(write(tell.get(), &byte, 1), 1);
            tell.reset();
            EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
        }
    };
    Child child(const char* name, pid_t wanted = 0) {
        int down[2], up[2];
        EXPECT_EQ(pipe2(down, O_CLOEXEC), 0);
        EXPECT_EQ(pipe2(up, O_CLOEXEC), 0);
        Child made;
        Fd listen(down[0]), answer(up[1]);
        made.tell.reset(down[1]);
        made.told.reset(up[0]);
        clone_args arguments{};
        arguments.exit_signal = SIGCHLD;
        arguments.set_tid = wanted != 0 ? reinterpret_cast<std::uint64_t>(&wanted) : 0;
        arguments.set_tid_size = wanted != 0 ? 1 : 0;
        made.pid = static_cast<pid_t>(syscall(SYS_clone3, &arguments, sizeof arguments));
        EXPECT_GE(made.pid, 0) << strerror(errno);
        if (made.pid != 0) return made;
        made.tell.reset();
        char byte;
        while (read(listen.get(), &byte, 1) == 1 && byte == 'o') {
            Fd opened(openat(mark_.get(), name, O_RDONLY | O_CLOEXEC));
            if (!opened || write(answer.get(), &byte, 1) != 1) _exit(1);
        }
        _exit(0);
    }
    // Start times are told in steps of 10 ms.
    static void next_tick() {
        timespec start, now;
        clock_gettime(CLOCK_BOOTTIME, &start);
        do {
            poll(nullptr, 0, 5);
            clock_gettime(CLOCK_BOOTTIME, &now);
        } while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1'000'000 < 25);
    }

    Fd mark_;
    std::unique_ptr<watch::Reader> reader_;
    std::shared_ptr<audit::WatchedSession> session_;
    audit::Pipeline pipeline_{sink_};
};

TEST_F(PipelineTest, ANumberThatIsUsedAgainIsAnotherProcess) {
    for (const char* name : {"first", "second"}) std::ofstream(zone_ / name) << "x";
    Child first = child("first");
    first.open();
    read_all();
    first.end();
    next_tick();
    session_->processes.turn_begins();
    read_all();  // its end is seen, and then the queue empty
    Child second = child("second", first.pid);
    if (second.pid != first.pid) GTEST_SKIP() << "cannot choose a process number: " << strerror(errno);
    second.open();
    read_all();
    second.end();
    const auto made = records();
    ASSERT_THAT(made, SizeIs(2));
    const auto& one = made[0]["actor"]["process"];
    const auto& two = made[1]["actor"]["process"];
    EXPECT_EQ(one["pid"], two["pid"]);
    EXPECT_LT(one["start_ns"], two["start_ns"]);
    pipeline_.closed(session_, true);
    records();
    ASSERT_THAT(ends(), SizeIs(2));
    EXPECT_EQ(ends()[0]["actor"], made[0]["actor"]);
    EXPECT_EQ(ends()[1]["actor"], made[1]["actor"]);
}

TEST_F(PipelineTest, EventsOfTwoOwnersInOneReadNameNeither) {
    for (const char* name : {"known", "first", "second"}) std::ofstream(zone_ / name) << "x";
    Child first = child("first");
    first.open();
    read_all();
    first.open();
    first.end();
    next_tick();
    Child second = child("second", first.pid);
    if (second.pid != first.pid) GTEST_SKIP() << "cannot choose a process number: " << strerror(errno);
    second.open();
    read_all();
    const auto made = records();
    ASSERT_THAT(made, SizeIs(3));
    EXPECT_TRUE(made[0]["actor"]["process"].contains("start_ns"));
    for (const std::size_t i : {1U, 2U}) {
        EXPECT_EQ(made[i]["details"]["process"], "ambiguous") << made[i];
        EXPECT_FALSE(made[i]["actor"]["process"].contains("start_ns")) << made[i];
    }
    second.end();
    read_all();
    pipeline_.closed(session_, true);
    records();
    ASSERT_THAT(ends(), SizeIs(1)) << "that of the first, which is certain";
    EXPECT_EQ(ends()[0]["actor"], made[0]["actor"]);
}

TEST_F(PipelineTest, AProcessThatIsGoneIsTold) {
    std::ofstream(zone_ / "file") << "x";
    Child brief = child("file");
    brief.open();
    brief.end();
    read_all();
    const auto made = records();
    ASSERT_THAT(made, SizeIs(1));
    EXPECT_EQ(made[0]["details"]["process"], "gone");
    EXPECT_EQ(made[0]["actor"]["process"]["pid"], brief.pid);
    pipeline_.closed(session_, true);
    records();
    ASSERT_THAT(ends(), SizeIs(1));
    EXPECT_EQ(ends()[0]["actor"], made[0]["actor"]);
    EXPECT_EQ(ends()[0]["details"]["process"], "gone");
}

// A fork that never ran a program of its own: its end has a record, after all others of it, and only one.
TEST_F(PipelineTest, TheEndOfAProcessFollowsItsLastAccess) {
    for (const char* name : {"one", "two"}) std::ofstream(zone_ / name) << "x";
    Child forked = child("one"), living = child("two"), silent = child("one");
    forked.open();
    living.open();
    read_all();
    forked.open();
    forked.end();
    silent.end();
    session_->processes.look_for_ends();
    const auto events = reader_->read();  // its end has shown, and there are events of it
    ASSERT_TRUE(events);
    ASSERT_THAT(*events, SizeIs(1));
    pipeline_.take(session_, *events);
    records();
    EXPECT_THAT(ends(), SizeIs(0)) << "there could be more events of it";
    read_all();
    const auto made = records();
    ASSERT_THAT(ends(), SizeIs(1)) << "no other has ended of which there is a record";
    const auto end = ends()[0];
    EXPECT_EQ(end["actor"], made[0]["actor"]);
    EXPECT_EQ(end["resource"], made[0]["actor"]["process"]["exe"]);
    EXPECT_EQ(end["resource_type"], "process");
    EXPECT_EQ(end["count"], 1);
    EXPECT_FALSE(end.contains("outcome"));
    EXPECT_FALSE(end.contains("details"));
    EXPECT_EQ(end["seq"], sink_.last_seq());
    living.end();
    pipeline_.closed(session_, true);
    records();
    pipeline_.closed(session_, true);
    records();
    EXPECT_THAT(ends(), SizeIs(2));
    EXPECT_EQ(session_->counts.recorded, made.size());
}

// What one queue has brought to its end may still stand in the other.
TEST_F(PipelineTest, AnEndWaitsForBothQueues) {
    std::ofstream(zone_ / "file") << "x";
    session_ = std::make_shared<audit::WatchedSession>(
        std::make_shared<const audit::SessionContext>(audit::SessionFacts{}), 0, 2);
    ASSERT_TRUE(session_->locator.add(place(zone_)));
    Child brief = child("file");
    brief.open();
    read_all();
    brief.end();
    session_->processes.look_for_ends();
    pipeline_.drained(session_, 0);
    records();
    EXPECT_THAT(ends(), SizeIs(0));
    EXPECT_TRUE(session_->processes.unsettled());
    pipeline_.drained(session_, 1);
    records();
    EXPECT_THAT(ends(), SizeIs(1));
    EXPECT_FALSE(session_->processes.unsettled());
}

TEST_F(PipelineTest, AQueueThatIsNotReadToItsEndIsAGap) {
    read_all();
    pipeline_.closed(session_, false);
    const auto made = records();
    ASSERT_THAT(made, SizeIs(1));
    EXPECT_EQ(made[0]["action"], "audit.gap");
    EXPECT_EQ(made[0]["details"]["reason"], "the session ended before all its file events were read");
    EXPECT_LE(made[0]["details"]["from_ns"], made[0]["details"]["to_ns"]);
}

// More at once than can be followed: memory stays bounded, and those that were forgotten are counted.
TEST_F(PipelineTest, EndsThatCannotBeFollowedAreCounted) {
    constexpr int kMany = 5000;
    std::ofstream(zone_ / "file") << "x";
    std::vector<watch::Event> events;
    std::ofstream(zone_ / "file") << "x";
    Child one = child("file");
    one.open();
    const auto real = reader_->read();
    ASSERT_TRUE(real);
    ASSERT_THAT(*real, SizeIs(1));
    // Numbers above pid_max, which no process has.
    for (int i = 0; i < kMany; ++i) {
        events.push_back((*real)[0]);
        events.back().pid = 5'000'000 + i;
    }
    for (std::size_t at = 0; at < events.size(); at += 1000) {
        pipeline_.take(session_, std::span(events).subspan(at, 1000));
        records();
    }
    one.end();
    pipeline_.closed(session_, true);
    records();
    std::uint64_t told = 0, forgotten = 0;
    for (const auto& end : ends()) {
        if (end.contains("details") && end["details"]["process"] == "forgotten")
            forgotten += end["count"].get<std::uint64_t>();
        else
            ++told;
    }
    EXPECT_EQ(told, 4096U);
    EXPECT_EQ(told + forgotten, kMany);
}

TEST_F(PipelineTest, AnOverflowIsAGapWithItsBounds) {
    std::ifstream setting("/proc/sys/fs/fanotify/max_queued_events");
    int most = 0;
    setting >> most;
    if (most > 200'000) GTEST_SKIP() << "the limit of a queue is too large here to fill it";
    zone_in_memory();
    begin(watch::Queue::kLimited);
    for (int i = 0; i < most + 1000; ++i) {
        const std::string name = std::to_string(i);
        Fd made(open((zone_ / name).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        Fd opened(openat(mark_.get(), name.c_str(), O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(opened);
    }
    for (;;) {  // as the watcher does it
        const auto events = reader_->read();
        ASSERT_TRUE(events);
        if (events->empty()) break;
        pipeline_.take(session_, *events);
        ASSERT_TRUE(pipeline_.has_room() || pipeline_.flush(audit::Pipeline::Flush::kHalf));
    }
    pipeline_.flush(audit::Pipeline::Flush::kAll);
    EXPECT_EQ(session_->counts.gaps, 1U);
    EXPECT_EQ(session_->counts.seen, static_cast<std::uint64_t>(most));
    EXPECT_TRUE(session_->counts.exact());
    const auto made = sink_.records();
    const auto& gap = made.back();
    EXPECT_EQ(gap["action"], "audit.gap");
    EXPECT_LE(gap["details"]["from_ns"], gap["details"]["to_ns"]);
    EXPECT_EQ(gap["details"]["after_seq"], made.size() - 1);
}

// Real programs under strace in the watched tree: what strace saw opened there is in the records, all of it.
class ReferenceTest : public WatchTest {
  protected:
    // The paths in the zone of successful opens, as strace -y shows them: openat(…) = 3</path>.
    std::set<std::string> opened(const fs::path& trace) const {
        std::ifstream file(trace);
        std::set<std::string> found;
        for (std::string line; std::getline(file, line);) {
            const std::size_t result = line.rfind(" = ");
            if (result == std::string::npos || line.find("O_PATH") != std::string::npos) continue;
            const std::size_t begin = line.find('<', result), end = line.rfind('>');
            if (begin == std::string::npos || end == std::string::npos || end < begin) continue;
            std::string path = line.substr(begin + 1, end - begin - 1);
            if (path.ends_with("(deleted)")) continue;
            if (path.starts_with(zone_.string())) found.insert(std::move(path));
        }
        return found;
    }
};

TEST_F(ReferenceTest, NothingThatStraceSawIsMissing) {
    for (const char* program : {"/usr/bin/strace", "/usr/bin/git", "/usr/bin/gcc", "/usr/bin/python3"})
        if (!fs::exists(program)) GTEST_SKIP() << program << " is not here";
    std::ofstream(zone_ / "main.c")
        << "#include <stdio.h>\n#include \"own.h\"\nint main(void){return puts(OWN) < 0;}\n";
    std::ofstream(zone_ / "own.h") << "#define OWN \"x\"\n";
    std::ofstream(zone_ / "module.py") << "print(open('own.h').read())\n";
    std::ofstream(zone_ / "work") << "#!/bin/sh\nset -e\n"
                                     "git init -q . && git add main.c own.h && git status --short\n"
                                     "gcc -O1 main.c -o program && ./program\n"
                                     "python3 -c 'import module'\n";
    fs::permissions(zone_ / "work", fs::perms::owner_all);
    watch_places({});
    ASSERT_TRUE(watcher_->add_place("s", place(zone_)));
    const fs::path trace = folder_ / "trace";
    const std::vector<std::string> command{"strace",
                                           "-f",
                                           "-y",
                                           "-qq",
                                           "-o",
                                           trace,
                                           "-e",
                                           "trace=open,openat,openat2,creat",
                                           "sh",
                                           "-c",
                                           "HOME=" + zone_.string() + " ./work > /dev/null"};
    ASSERT_EQ(confined({zone_}, program(command, zone_)), 0);
    const auto records = drained();
    std::set<std::string> recorded = resources(records, "file.read");
    recorded.merge(resources(records, "file.list"));
    const auto reference = opened(trace);
    EXPECT_GT(reference.size(), 30U) << "the reference itself has something to say";
    for (const std::string& path : reference) EXPECT_TRUE(recorded.contains(path)) << path;
    EXPECT_THAT(resources(records, "process.exec"),
                testing::IsSupersetOf({(zone_ / "work").string(), (zone_ / "program").string()}));
    EXPECT_THAT(resources(records, "file.write"), testing::Contains(zone_ / "program"));
}

}  // namespace
}  // namespace reeve::watch_test
