// The veil in small: a throw-away person with a home, the real reeve-veil with a policy over it, and a mount namespace
// in which the home is the veil's. The host's side of the home stays reachable beside it.
//
//   Scene scene({.files = R"({"deny": ["read"], "paths": ["${home}/.ssh/**"]})"});
//   scene.write(".ssh/id", "secret");
//   scene.start();
//   EXPECT_EQ(scene.run("cat ~/.ssh/id").exit_code, 1);
//   EXPECT_EQ(scene.finish().count({.operation = "open", .path = scene.home(".ssh/id")}), 1);
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "daemon/access/report.hpp"
#include "daemon/access/setup.hpp"
#include "platform/fd.hpp"

namespace reeve::veil_test {

namespace fs = std::filesystem;
inline constexpr uid_t kPerson = 54321;

struct Output {
    int exit_code = -1;  // 128 + N where a signal ended it
    std::string out, err;
    std::string text() const { return std::to_string(exit_code) + "\n" + out + err; }
};

// A report with texts of its own.
struct Seen {
    std::string operation, path, target, rule, exe;
    policy::FileAction action{};
    policy::Verdict verdict{};
    bool by_rule = false, directory = false, canary = false;
    int error = 0;
    pid_t pid = 0;
    std::uint64_t count = 0;
};
struct Wanted {
    std::optional<std::string> operation = {}, path = {}, target = {}, rule = {};
    std::optional<policy::FileAction> action = {};
    std::optional<int> error = {};
    std::optional<bool> canary = {};
};
struct Reports {
    std::vector<Seen> all;
    bool complete = false;                            // the veil said that this was all
    std::uint64_t count(const Wanted& wanted) const;  // the sum of their counts
    const Seen* find(const Wanted& wanted) const;
    std::string text() const;
};

struct SceneOptions {
    std::string files;                      // the rules of the vendor's document
    std::vector<access::Place> more = {};   // beside the home; paths relative to it
    std::vector<std::string> granted = {};  // Setup::files, relative to the home
    pid_t keeper = 0;
    std::string mode = "enforce";
    unsigned descriptors = 0;  // RLIMIT_NOFILE of the veil; 0: as it is
};

class Scene {
  public:
    explicit Scene(SceneOptions options);
    ~Scene();
    Scene(const Scene&) = delete;

    // On the host's side, before and after the start. Owner: the person.
    void write(const std::string& path, const std::string& text = "text", unsigned mode = 0644) const;
    void make_directory(const std::string& path) const;
    fs::path host(const std::string& path = "") const;     // where the test sees the host's home
    std::string home(const std::string& path = "") const;  // absolute, for sessions and reports

    void start();  // from here on the home is the veil's for this process and what it starts
    // What the host has in the home, mounted on the veil's directory.
    void bind(const std::string& path) const;

    // As the person, in the home, with HOME set. `sh -c`.
    Output run(const std::string& script) const;
    // In a process of the person's: what `body` returns, 0 to 255; an errno by convention.
    int as_person(const std::function<int()>& body) const;

    // Ends the session and gives all reports.
    Reports finish();
    pid_t veil() const { return veil_; }
    int wait_for_veil();  // its wait status

  private:
    void take_reports();

    SceneOptions options_;
    fs::path root_;
    pid_t veil_ = 0;
    platform::Fd control_;
    platform::Fd outside_;  // the mount namespace before
    Reports reports_;       // the reader's until it has ended
    std::thread reader_;
};

bool can_run();  // root, and there is FUSE

}  // namespace reeve::veil_test
