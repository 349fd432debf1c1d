// Records a second through the audit log, stage by stage: encoding, with the chain, and into the file.
//
// usage: audit_bench [--json] [--records N] [--repeat N] [--dir DIR]
// Nothing paces the appending thread, so that what waits for the disk is not bounded here, and the time is
// taken until all is durable. One appending thread, held on one CPU in the row that says so (the log's writer
// with it). Stages are interleaved; medians. Beside them what the machine can do at all: bare SHA-256 over
// the same bytes, and bare write().
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "daemon/audit/chain.hpp"
#include "daemon/audit/encode.hpp"
#include "daemon/audit/segment.hpp"
#include "tests/unit/daemon/audit/samples.hpp"
#include "tests/unit/daemon/audit/support.hpp"

namespace {

using namespace reeve::audit;

double seconds_of(const std::function<void()>& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Records as a session writes them: another path each time.
class Source {
  public:
    Source() : record_(samples_.full()) {
        record_.credential.reset();
        for (int i = 0; i < 1024; ++i) {
            paths_.push_back("/home/alice/Projects/reeve/daemon/audit/directory-" + std::to_string(i % 32) +
                             "/file-" + std::to_string(i) + ".cpp");
        }
    }
    const Record& next() {
        record_.resource = paths_[at_++ % paths_.size()];
        record_.realtime_ns += 5'000;
        record_.monotonic_ns += 5'000;
        return record_;
    }

  private:
    test::Samples samples_;
    Record record_;
    std::vector<std::string> paths_;
    std::size_t at_ = 0;
};

struct Stage {
    const char* name;
    std::function<void(std::size_t records)> run;
    std::vector<double> seconds = {}, cpu = {};
};

double median(std::vector<double> values) {
    std::ranges::nth_element(values, values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
    return values[values.size() / 2];
}

void encode_only(std::size_t records, Chain* chain) {
    Source source;
    Encoder encoder("b4a1", test::Samples::facts());
    Buffer buffer;
    for (std::size_t i = 0; i < records; ++i) {
        if (buffer.size() > (256U << 10)) buffer.clear();
        const std::size_t before = buffer.size();
        encoder.encode(source.next(), i + 1, buffer);
        if (chain != nullptr) chain->add(buffer.text().substr(before));
    }
}

void to_file(const std::filesystem::path& parent, std::size_t records, bool one_cpu) {
    cpu_set_t all, one;
    ::sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    CPU_SET(::sched_getcpu(), &one);
    if (one_cpu) ::sched_setaffinity(0, sizeof one, &one);  // the writer, made below, inherits it
    const std::string place = (parent / "log").string();
    {
        auto log = Log::open(open_directory(place).value(),
                             open_directory((parent / "state").string(), 0700).value(),
                             {.memory = SIZE_MAX, .boot_id = "b4a1", .self = test::Samples::facts()},
                             sign_with(test::device_key()), nullptr);
        if (!log) std::fprintf(stderr, "%s\n", log.error().text().c_str()), std::exit(1);
        Source source;
        for (std::size_t i = 0; i < records; ++i) (*log)->append(source.next());
        if (!(*log)->flush() || (*log)->statistics().lost != 0)
            std::fprintf(stderr, "records were lost\n"), std::exit(1);
    }
    std::filesystem::remove_all(parent / "log");
    if (one_cpu) ::sched_setaffinity(0, sizeof all, &all);
}

// The floor: the same bytes, hashed one record at a time, and written in blocks of 256 KiB.
void bare_sha(std::size_t records, std::size_t bytes) {
    Chain chain;
    const std::string line(bytes, 'x');
    for (std::size_t i = 0; i < records; ++i) chain.add(line);
}

void bare_write(const std::filesystem::path& parent, std::size_t bytes) {
    const std::string block(256U << 10, 'x'), path = (parent / "bare").string();
    const reeve::platform::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) std::perror("open"), std::exit(1);
    for (std::size_t done = 0; done < bytes; done += block.size()) {
        if (::write(file.get(), block.data(), block.size()) < 0) std::perror("write"), std::exit(1);
    }
    ::fdatasync(file.get());
    ::unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
    bool json = false;
    std::size_t records = 1'000'000;
    int repeat = 5;
    std::filesystem::path parent = std::filesystem::temp_directory_path();
    for (int i = 1; i < argc; ++i) {
        const std::string option = argv[i];
        if (option == "--json") json = true;
        if (option == "--records" && i + 1 < argc) records = std::stoull(argv[++i]);
        if (option == "--repeat" && i + 1 < argc) repeat = std::stoi(argv[++i]);
        if (option == "--dir" && i + 1 < argc) parent = argv[++i];
    }
    std::string name = (parent / "reeve-audit-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return std::perror("mkdtemp"), 1;
    parent = name;

    Buffer one;
    Encoder("b4a1", test::Samples::facts()).encode(Source().next(), 1, one);
    const std::size_t line_bytes = one.size() + kChainTail + 1;
    Chain chain;
    Stage stages[] = {{"SHA-256 alone", [&](std::size_t n) { bare_sha(n, line_bytes); }},
                      {"write() alone", [&](std::size_t n) { bare_write(parent, n * line_bytes); }},
                      {"encode", [&](std::size_t n) { encode_only(n, nullptr); }},
                      {"encode + chain", [&](std::size_t n) { encode_only(n, &chain); }},
                      {"to file", [&](std::size_t n) { to_file(parent, n, false); }},
                      {"to file, one CPU", [&](std::size_t n) { to_file(parent, n, true); }}};
    for (int round = 0; round < repeat; ++round) {
        for (Stage& stage : stages) {
            const double cpu = cpu_seconds();
            stage.seconds.push_back(seconds_of([&] { stage.run(records); }));
            stage.cpu.push_back(cpu_seconds() - cpu);
        }
    }
    std::error_code ignored;
    std::filesystem::remove_all(parent, ignored);

    if (!json)
        std::printf("%zu records of %zu bytes, median of %d\n%-18s %14s %10s %12s\n", records, line_bytes,
                    repeat, "stage", "records/s", "MB/s", "CPU ns each");
    for (Stage& stage : stages) {
        const double rate = static_cast<double>(records) / median(stage.seconds);
        const double cpu = 1e9 * median(stage.cpu) / static_cast<double>(records);
        std::printf(json ? "{\"bench\":\"audit\",\"stage\":\"%s\",\"records_per_second\":%.0f,\"mb_per_"
                           "second\":%.0f,\"cpu_ns\":%.0f}\n"
                         : "%-18s %14.0f %10.0f %12.0f\n",
                    stage.name, rate, rate * static_cast<double>(line_bytes) / 1e6, cpu);
    }
}
