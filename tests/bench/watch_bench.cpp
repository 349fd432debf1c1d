// How many file events a second the watch takes, from a real fanotify group to the log, with nothing lost.
//
//   bench_watch [--seconds N] [--rate N] [--generators N] [--sink none|encode|log] [--delay MS] [--json]
//
// A private mount namespace, a marked tmpfs in it, and processes that open and close files, each another one,
// so that neither the kernel nor the pipeline can merge them. Prints events a second, CPU an event of the
// watch, what was lost, the equation, and the wake-ups of the watch in a second of rest. Exits with 1 where
// something was lost or the equation does not hold; how fast it was decides nothing.
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "daemon/audit/encode.hpp"
#include "daemon/audit/segment.hpp"
#include "daemon/audit/watcher.hpp"
#include "platform/watch.hpp"

namespace {

namespace fs = std::filesystem;
namespace audit = reeve::audit;
namespace watch = reeve::platform::watch;
using reeve::platform::Fd;
using Clock = std::chrono::steady_clock;

constexpr int kFolders = 500, kFilesInFolder = 200;

struct Settings {
    int seconds = 30, generators = 1, delay_ms = 5;
    std::uint64_t rate = 0;  // of each generator; 0: as fast as it can
    std::string sink = "encode";
    bool json = false;
};

struct Shared {  // with the generators
    std::atomic<bool> go, stop;
    std::atomic<std::uint64_t> opened;
};

class CountingSink final : public audit::Sink {
  public:
    explicit CountingSink(bool encode) : encode_(encode) {}
    std::size_t append(std::span<const audit::Record> records) override {
        for (const audit::Record& record : records) {
            ++seq_;
            if (encode_) encoder_.encode(record, seq_, buffer_);
        }
        bytes += buffer_.size();
        buffer_.clear();
        return records.size();
    }
    std::uint64_t last_seq() const override { return seq_; }
    std::uint64_t bytes = 0;

  private:
    bool encode_;
    audit::Encoder encoder_{"b2b1c2f0-0000-4000-8000-000000000000", {}};
    audit::Buffer buffer_;
    std::uint64_t seq_ = 0;
};

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "bench_watch: %s\n", what.c_str());
    std::exit(2);
}
template <class T>
T must(reeve::platform::Result<T> result) {
    if (!result) fail(result.error().text());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

std::string file_name(int i) {
    return std::to_string(i / kFilesInFolder) + "/f" + std::to_string(i);
}

[[noreturn]] void generate(const fs::path& tree, int first, std::uint64_t rate, Shared& shared) {
    if (chdir(tree.c_str()) != 0) _exit(1);
    std::vector<std::string> names;
    for (int i = 0; i < kFolders * kFilesInFolder; ++i)
        names.push_back(file_name((i + first) % (kFolders * kFilesInFolder)));
    while (!shared.go) poll(nullptr, 0, 1);
    const auto begin = Clock::now();
    std::uint64_t opened = 0;
    for (std::size_t i = 0; !shared.stop; ++i) {
        Fd file(open(names[i % names.size()].c_str(), O_RDONLY | O_CLOEXEC));
        if (!file) _exit(1);
        ++opened;
        if (rate == 0 || opened % 128 != 0) continue;
        const auto due = begin + std::chrono::nanoseconds(opened * 1'000'000'000 / rate);
        const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(due - Clock::now()).count();
        if (ahead > 1) poll(nullptr, 0, static_cast<int>(ahead));
    }
    shared.opened += opened;
    _exit(0);
}

struct Thread {  // the watch's
    double cpu = 0;
    std::uint64_t wakes = 0;
};
Thread watch_thread() {
    for (const auto& task : fs::directory_iterator("/proc/self/task")) {
        std::ifstream name(task.path() / "comm");
        std::string text;
        if (!std::getline(name, text) || text != "reeve-watch") continue;
        Thread thread;
        std::ifstream schedule(task.path() / "schedstat");
        std::uint64_t ns = 0;
        schedule >> ns;
        thread.cpu = static_cast<double>(ns) * 1e-9;
        std::ifstream status(task.path() / "status");
        while (std::getline(status, text))
            if (text.starts_with("voluntary_ctxt_switches:")) thread.wakes = std::stoull(text.substr(24));
        return thread;
    }
    fail("the watch has no thread");
}

fs::path make_tree(const fs::path& folder) {
    const fs::path tree = folder / "tree";
    fs::create_directory(tree);
    if (mount("reeve-bench", tree.c_str(), "tmpfs", 0, "mode=0700") != 0) fail("cannot mount a tmpfs");
    for (int i = 0; i < kFolders; ++i) fs::create_directory(tree / std::to_string(i));
    for (int i = 0; i < kFolders * kFilesInFolder; ++i)
        Fd made(open((tree / file_name(i)).c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return tree;
}

int run(const Settings& settings, const fs::path& folder) {
    const fs::path tree = make_tree(folder);
    auto* shared = static_cast<Shared*>(
        mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    std::vector<pid_t> children;
    for (int i = 0; i < settings.generators; ++i) {
        const pid_t child = fork();
        if (child == 0)
            generate(tree, i * (kFolders * kFilesInFolder / settings.generators), settings.rate, *shared);
        children.push_back(child);
    }

    CountingSink counting(settings.sink == "encode");
    std::unique_ptr<audit::Log> log;
    std::unique_ptr<audit::LogSink> log_sink;
    if (settings.sink == "log") {
        audit::LogOptions options;
        options.max_size = 512ULL << 20;
        log = must(audit::Log::open(
            must(audit::open_directory(folder / "log")), must(audit::open_directory(folder / "state")),
            options, [](const std::string&) { return std::string("none"); },
            [](const reeve::platform::Error& error) { fail(error.text()); }));
        log_sink = std::make_unique<audit::LogSink>(*log);
    }
    audit::Sink& sink = log_sink ? static_cast<audit::Sink&>(*log_sink) : counting;
    audit::WatcherOptions options;
    options.rest = std::chrono::milliseconds(settings.delay_ms);
    auto watcher = must(audit::Watcher::start(sink, options));
    Fd group = must(watch::open_group(watch::Reports::kHandles));
    const Fd root(open(tree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    audit::WatchSetup setup;
    setup.session = "bench";
    setup.context = std::make_shared<const audit::SessionContext>(audit::SessionFacts{
        .session = "01JD0000000000000000000000", .user_id = "alice@example.com", .uid = 1000});
    setup.by_handle.reset(fcntl(group.get(), F_DUPFD_CLOEXEC, 0));
    watch::Place place;
    place.path = tree;
    place.root.reset(open(tree.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    place.log = reeve::platform::confine::kLogOpens;
    setup.places.push_back(std::move(place));
    must(watcher->add(std::move(setup)));
    must(watch::mark_mount(group.get(), root.get(), reeve::platform::confine::kLogOpens));

    const Thread before = watch_thread();
    const auto begin = Clock::now();
    shared->go = true;
    poll(nullptr, 0, settings.seconds * 1000);
    shared->stop = true;
    for (const pid_t child : children) {
        int status = 1;
        if (waitpid(child, &status, 0) != child || status != 0) fail("a generator failed");
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const audit::Counts counts = must(watcher->drain("bench"));
    const double drained = std::chrono::duration<double>(Clock::now() - begin).count() - seconds;
    const double cpu = watch_thread().cpu - before.cpu;
    poll(nullptr, 0, 300);  // what was under way ends
    const std::uint64_t wakes = watch_thread().wakes;
    poll(nullptr, 0, 1000);
    const std::uint64_t rest_wakes = watch_thread().wakes - wakes;

    const std::uint64_t opened = shared->opened;
    const bool exact = counts.exact() && counts.waiting == 0;
    const std::uint64_t lost = opened - std::min(opened, counts.seen);
    const double rate = static_cast<double>(counts.events) / seconds;
    const double each = cpu / static_cast<double>(std::max<std::uint64_t>(counts.events, 1)) * 1e6;
    const std::vector<std::pair<const char*, double>> figures{
        {"seconds", seconds},
        {"opened", static_cast<double>(opened)},
        {"events", static_cast<double>(counts.events)},
        {"events_per_second", rate},
        {"cpu_us_per_event", each},
        {"drain_seconds", drained},
        {"lost", static_cast<double>(lost)},
        {"gaps", static_cast<double>(counts.gaps)},
        {"seen", static_cast<double>(counts.seen)},
        {"recorded", static_cast<double>(counts.recorded)},
        {"coalesced", static_cast<double>(counts.coalesced)},
        {"left_out", static_cast<double>(counts.left_out)},
        {"wakeups_in_1s_of_rest", static_cast<double>(rest_wakes)}};
    std::string json =
        "{\"bench\":\"watch\",\"sink\":\"" + settings.sink + "\",\"exact\":" + (exact ? "true" : "false");
    if (!settings.json)
        std::printf("%-24s%s\n%-24s%s\n", "sink", settings.sink.c_str(), "equation exact",
                    exact ? "yes" : "NO");
    for (const auto& [name, value] : figures) {
        char text[64];
        const bool whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
        std::snprintf(text, sizeof text, whole ? "%.0f" : "%.3f", value);
        json += std::string(",\"") + name + "\":" + text;
        if (!settings.json) std::printf("%-24s%s\n", name, text);
    }
    json += "}";
    if (settings.json) std::puts(json.c_str());
    if (const char* file = getenv("REEVE_BENCH_OUT"); file != nullptr) std::ofstream(file) << json << "\n";
    return exact && lost == 0 && counts.gaps == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Settings settings;
    CLI::App app("file events from the kernel to the log");
    app.add_option("--seconds", settings.seconds);
    app.add_option("--rate", settings.rate, "opens a second of each generator, 0 for as many as it can");
    app.add_option("--generators", settings.generators)->check(CLI::Range(1, 64));
    app.add_option("--sink", settings.sink)->check(CLI::IsMember({"none", "encode", "log"}));
    app.add_option("--delay", settings.delay_ms, "milliseconds that the watch rests after a read");
    app.add_flag("--json", settings.json);
    CLI11_PARSE(app, argc, argv);
    if (geteuid() != 0) {
        std::puts("skipped: marks on mounts need root");
        return 77;
    }
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        fail("cannot make a mount namespace");
    char name[] = "/tmp/reeve-watch-bench-XXXXXX";
    if (mkdtemp(name) == nullptr) fail("cannot make a folder");
    const int status = run(settings, name);
    umount2((fs::path(name) / "tree").c_str(), MNT_DETACH);
    fs::remove_all(name);
    return status;
}
