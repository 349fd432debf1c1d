// A session for tests: a throw-away person with a home, secrets and a workspace, confined by the real spawner
// and the real reeve-confine, with a plan like the one that the default policy gives.
//
//   Person person;                       // directories on the host, removed at the end
//   Session session(person);             // or Session(person, {.without = {"seccomp.unshare"}})
//   Outcome outcome = session.run({"/usr/bin/unshare", "-U", "true"});
//   EXPECT_NE(outcome.exit_code, 0);
//   EXPECT_TRUE(person.unchanged());     // the host's side of home and secrets is as it was
//
// An attack is a program (attacks.cmake builds it from one C file).
// `Session::attack("nested_user_namespace")` makes it runnable inside and runs it. By convention it exits 0
// when it got through, 1 when it was stopped, and says on stdout what it tried and got.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/confine.hpp"
#include "platform/linux/confine/spawner.hpp"

namespace reeve::test {

// Everything about a tree that a stray write would change: path -> type, mode, owner, size, times and
// content's hash.
std::map<std::string, std::string> snapshot(const std::filesystem::path& root);

class Person {
  public:
    Person();
    ~Person();
    Person(const Person&) = delete;
    Person& operator=(const Person&) = delete;

    const platform::confine::Person& ids() const { return ids_; }
    std::filesystem::path home() const { return root_ / "home"; }
    std::filesystem::path workspace() const { return home() / "work"; }
    std::filesystem::path secret() const { return home() / ".ssh/id_ed25519"; }
    std::filesystem::path root() const { return root_; }  // the host's directory that holds all of it

    // Writes a file of the person's, with the directories on the way.
    void write(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644) const;
    // A directory of the person's.
    void make_directory(const std::filesystem::path& path) const;

    // Whether the home, without the workspace, is as it was when remember() was called last (at first: at the
    // construction).
    void remember();
    bool unchanged() const;

  private:
    platform::confine::Person ids_;
    std::filesystem::path root_;
    std::map<std::string, std::string> before_;
};

struct Options {
    std::vector<std::string> without = {};  // defences to leave out: then reeve-confine-holes runs it
    bool terminal = false;                  // all three streams are the session's terminal
    std::function<void(platform::confine::Plan&)> change = {};   // the last word on the plan
    std::function<void(platform::confine::StartFds&)> add = {};  // and on what goes with it
    std::chrono::seconds deadline{20};
};

struct Outcome {
    bool started = false;
    int exit_code = -1;  // of the command; -1 where a signal ended it or it never ran
    int signal = 0;
    std::string output, errors;  // with a terminal, all is in `output`
    std::string failed_step;     // where nothing was started
    platform::Error error;
    std::vector<platform::confine::StepDone> steps;
    std::vector<platform::confine::Mounted> mounted;
    bool timed_out = false;
    // All of the above in one text, for a test's message.
    std::string text() const;
};

// The program whose defences are all there, and its variant with holes, for Spawner::create().
std::string confine_program(bool with_holes);
// One spawner for all sessions of this process and program. The first call must come while there is one
// thread.
platform::confine::Spawner& spawner(bool with_holes);

// The zones and private places that the default policy gives: the system read-only, the workspace writable,
// the home, /tmp and /run of the session's own.
platform::confine::Plan default_plan(const Person& person);
platform::confine::Zone zone(const std::string& path, bool writable, bool executable = true);

class Session {
  public:
    explicit Session(const Person& person, Options options = {});
    ~Session();

    // Starts the command and waits for its end.
    Outcome run(std::vector<std::string> command, const std::string& input = {});
    // The same in parts, for tests that do something while it runs.
    void start(std::vector<std::string> command);
    void type(const std::string& text);  // to its terminal or standard input
    void close_input();
    bool wait_for(const std::string& text);  // until stdout (or the terminal) has it
    Outcome finish();                        // waits for its end
    platform::confine::Link& link();
    pid_t pid() const;  // of its first process, on the host
    int pidfd() const;
    int terminal() const;            // the master side
    const Outcome& outcome() const;  // so far
    bool wait_for_stop();            // until job control has stopped the command

    // Builds nothing: copies build/.../attack_<name> to the workspace's side and runs it.
    Outcome attack(const std::string& name, std::vector<std::string> arguments = {});

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace reeve::test
