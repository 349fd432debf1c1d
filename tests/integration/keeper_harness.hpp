// A session as small as the keeper needs it, for tests of the keeper alone: a person of nobody's, a mount namespace, a
// user namespace of theirs, a Landlock domain that grants /tmp, /dev and /proc, the keeper's filter, and a real
// reeve-keeper. What the real start-up does besides (own root, capabilities, the rest of seccomp) is missing.
//
//   Kept kept({.rules = R"({"deny": ["write"], "paths": ["**/.mcp.json"]})"});
//   Result result = kept.run({"/bin/sh", "-c", "echo x > .mcp.json"});
//
// Needs root, and one thread at the time of run().
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "daemon/access/report.hpp"
#include "daemon/egress/processes.hpp"
#include "platform/fd.hpp"

namespace reeve::test {

struct KeptOptions {
    std::string rules = {};  // of the policy, besides "everything in the workspace is allowed": JSON objects
    std::string parent = "/var/tmp";  // where the person's directory is made
    bool trap_reads = false;
    bool without_keeper =
        false;  // the same without filter and keeper, for comparisons; Landlock grants the workspace
    bool observe = false;
    bool host_root = false;  // the session has a descriptor on the root of the host's mounts, number 9
    // A read-only mount of that directory of the workspace, inside.
    std::string kept = {};
    bool connections = false;  // somebody is told of connect(), and reads it when the session is over
    // Called when the command runs, with the keeper's pid and reeved's end of its control socket.
    std::function<void(pid_t keeper, int control)> meanwhile = {};
};

// A report with texts of its own.
struct Told {
    std::string operation, path, target, rule, exe;
    policy::FileAction action = policy::FileAction::read;
    policy::Verdict verdict = policy::Verdict::allow;
    int error = 0;
    bool decided = false, directory = false;
    pid_t pid = 0;
    std::string text() const;
};

struct KeptResult {
    int exit_code = -1, signal = 0;
    std::string output;  // and errors
    std::vector<Told> reports;
    std::vector<egress::Connecting> connecting;
    std::string text() const;
    // How many reports are of this operation, path and errno.
    std::size_t told(const std::string& operation, const std::filesystem::path& path, int error) const;
};

class Kept {
  public:
    explicit Kept(KeptOptions options = {});
    ~Kept();
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;

    std::filesystem::path workspace() const { return root_ / "home/work"; }
    std::filesystem::path root() const { return root_; }
    // A file of the person's.
    void write(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644) const;
    void make_directory(const std::filesystem::path& path) const;

    // Runs it in a new session, in the workspace.
    KeptResult run(const std::vector<std::string>& command);
    // A program of tests/testcases, by its name.
    KeptResult run_victim(const std::string& name, std::vector<std::string> arguments);
    KeptResult shell(const std::string& script) { return run({"/bin/sh", "-c", script}); }

  private:
    struct Ends;
    pid_t start_keeper(Ends& ends);
    [[noreturn]] void be_session(Ends& ends, const std::vector<std::string>& command);

    KeptOptions options_;
    std::filesystem::path root_;
    std::string table_;
    uid_t id_ = 0;
};

}  // namespace reeve::test
