// What a look through the veil costs: denied names one after the other, from several processes at once, and a million of
// them for the memory that stays.
//
//   bench_veil [--looks N] [--processes N]
// Prints figures, and fails where a report is lost or memory grows.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>

#include "tests/integration/veil_scene.hpp"

namespace reeve::veil_test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kFiles = R"(
    {"id": "free", "allow": ["read", "write"], "paths": ["${home}/free/**"]},
    {"id": "secret", "deny": ["read", "write", "execute"], "paths": ["${home}/.ssh/**"]},
    {"id": "home", "ask": ["read", "write"], "paths": ["${home}/**"], "except": ["${home}/free/**"]})";

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

long resident_kb(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    return 0;
}

// User and system time so far, of the veil and of what this has waited for, in microseconds: what other work on the
// machine does not change much.
double cpu_us(pid_t veil) {
    std::ifstream file("/proc/" + std::to_string(veil) + "/stat");
    std::string skipped;
    std::getline(file, skipped, ')');
    for (int field = 3; field < 14; ++field) file >> skipped;
    double user = 0, kernel = 0;
    file >> user >> kernel;
    struct rusage usage {};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    const auto us = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
    };
    return (user + kernel) / static_cast<double>(::sysconf(_SC_CLK_TCK)) * 1e6 + us(usage.ru_utime) +
           us(usage.ru_stime);
}

// `looks` distinct names in one folder; the number of those that were answered otherwise.
int look(const char* folder, const std::string& prefix, unsigned long looks, int expected) {
    const int at = ::open(folder, O_PATH | O_DIRECTORY);
    unsigned long other = 0;
    struct stat status;
    for (unsigned long i = 0; i < looks; ++i)
        other += ::fstatat(at, (prefix + std::to_string(i)).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ||
                 errno != expected;
    return other == 0 ? 0 : 1;
}

// From `processes` at once; the time of all.
double look_from(const Scene& scene, unsigned processes, unsigned long looks, const char* round, bool& good) {
    const auto start = Clock::now();
    const int failed = scene.as_person([&] {
        int wrong = 0;
        for (unsigned p = 0; p < processes; ++p)
            if (::fork() == 0)
                ::_exit(look(".ssh", round + std::to_string(p) + "-", looks / processes, EACCES));
        for (int status = 0; ::wait(&status) > 0;) wrong |= status;
        return wrong != 0;
    });
    good = good && failed == 0;
    return seconds_since(start);
}

int run(unsigned long looks, unsigned processes) {
    if (!can_run()) {
        std::puts("skipped: the veil's mount needs root and /dev/fuse");
        return 77;
    }
    looks -= looks % processes;
    Scene scene({.files = kFiles});
    scene.make_directory(".ssh");
    scene.write("free/file");
    scene.start();
    bool good = true;
    const double cpu = cpu_us(scene.veil());
    const double alone = look_from(scene, 1, looks, "one", good);
    std::printf("one process:   %.1f us a denied name, of CPU time %.1f us\n",
                alone / static_cast<double>(looks) * 1e6,
                (cpu_us(scene.veil()) - cpu) / static_cast<double>(looks));
    const long before = resident_kb(scene.veil());
    std::printf("%u processes:   %.0f denied names a second\n", processes,
                static_cast<double>(looks) / look_from(scene, processes, looks, "more", good));
    const long after = resident_kb(scene.veil());
    const auto start = Clock::now();
    const int failed = scene.as_person([&] {
        struct stat status;
        for (unsigned long i = 0; i < looks; ++i)
            if (::stat("free/file", &status) != 0) return 1;
        return 0;
    });
    good = good && failed == 0;
    std::printf("a stat of an allowed file: %.1f us\n",
                seconds_since(start) / static_cast<double>(looks) * 1e6);
    std::printf("memory of the veil: %ld kB, after %lu names %ld kB, at the end %ld kB\n", before, looks,
                after, resident_kb(scene.veil()));
    const bool flat = resident_kb(scene.veil()) < before + 8 * 1024;
    const auto reports = scene.finish();
    const auto counted = reports.count({.operation = "lookup", .error = EACCES});
    std::printf("reported: %lu of %lu\n", static_cast<unsigned long>(counted), 2 * looks);
    if (!good) std::puts("a denied name was not denied");
    if (!flat) std::puts("memory grew");
    return good && flat && counted == 2 * looks ? 0 : 1;
}

}  // namespace
}  // namespace reeve::veil_test

int main(int count, char** arguments) {
    CLI::App app("What a look through the veil costs");
    unsigned long looks = 100'000;
    unsigned processes = 4;
    app.add_option("--looks", looks)->check(CLI::Range(1000UL, 100'000'000UL));
    app.add_option("--processes", processes)->check(CLI::Range(1U, 64U));
    CLI11_PARSE(app, count, arguments);
    return reeve::veil_test::run(looks, processes);
}
