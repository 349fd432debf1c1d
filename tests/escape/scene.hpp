// What an attack needs around it: a person, a plan that gives the attack its target, and what stands on the
// host.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/escape/driver.hpp"

namespace reeve::test {

// Names of Plan::without that make one wall: only without all of them is it gone. "tree" is none of
// reeve-confine's: the scene then grants what is otherwise absent.
using Wall = std::vector<std::string>;

struct Scene {
    explicit Scene(const Wall& without_);

    bool lacks(const std::string& wall) const;
    void change_plan(std::function<void(platform::confine::Plan&)> change);
    // A file of the person's in the workspace.
    void in_workspace(const std::string& name, const std::string& text);
    // A directory of the person's outside of the home, with `file` and `empty/`; a zone of the session.
    std::string make_zone(bool writable, bool executable);
    // A directory of root's beside the home, which is no zone yet.
    std::filesystem::path make_place(const std::string& name);
    // The whole home as one writable zone, instead of a private directory with the workspace in it.
    void grant_home();
    // A process on the host with the person's ids. This returns when it has done `work`; it then does
    // `later`, and waits until the scene is gone.
    pid_t run_as_person(
        const std::function<bool()>& work, const std::function<void()>& later = [] {});

    const Wall without;
    Person person;
    Options options;
    std::vector<std::string> arguments;
    std::string step_that_stops;        // where a defence is that nothing is started
    std::function<bool()> got_through;  // where the host's side shows it, and not the attack's exit code
    std::vector<std::filesystem::path> watched;  // must be unchanged afterwards, beside the home
    std::vector<std::shared_ptr<void>> kept;     // until the end of the scene
};

// Does `undo` when the scene is gone.
std::shared_ptr<void> at_end(std::function<void()> undo);

struct Attack {
    const char* name;  // of the C file, and of the test
    std::vector<Wall> walls;
    void (*prepare)(Scene&) = nullptr;
    // Ways of it that do not work here even with all walls down: the kernel lacks them, or stops them itself.
    std::set<std::string> never = {};
    // Left out in all runs, so that the walls under test are the only ones.
    Wall always = {};
    // A capability that root needs to have for the test to say something; root of a container may not have
    // it.
    int needs = -1;
};

const std::vector<Attack>& attacks();

}  // namespace reeve::test
