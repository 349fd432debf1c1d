#include "tests/escape/scene.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace reeve::test {
namespace fs = std::filesystem;
using platform::confine::Plan;

std::shared_ptr<void> at_end(std::function<void()> undo) {
    return {nullptr, [undo = std::move(undo)](void*) { undo(); }};
}

Scene::Scene(const Wall& without_) : without(without_) {
    options.without = without;
    if (lacks("net_namespace") || lacks("ipc_namespace"))
        options.without.push_back("host_pid:" + std::to_string(::getpid()));
}

bool Scene::lacks(const std::string& wall) const {
    return std::find(without.begin(), without.end(), wall) != without.end();
}

void Scene::change_plan(std::function<void(Plan&)> change) {
    options.change = [first = std::move(options.change), change = std::move(change)](Plan& plan) {
        if (first) first(plan);
        change(plan);
    };
}

void Scene::in_workspace(const std::string& name, const std::string& text) {
    person.write(person.workspace() / name, text);
}

std::string Scene::make_zone(bool writable, bool executable) {
    const fs::path path = person.root() / "zone";
    person.write(path / "file", "of the person\n");
    person.make_directory(path / "empty");
    watched.push_back(path);
    change_plan([=](Plan& plan) { plan.zones.push_back(zone(path.string(), writable, executable)); });
    return path.string();
}

fs::path Scene::make_place(const std::string& name) {
    const fs::path path = person.root() / name;
    fs::create_directory(path);
    if (::chmod(path.c_str(), 0755) != 0) throw std::runtime_error("chmod");
    return path;
}

void Scene::grant_home() {
    const std::string home = person.home().string(), workspace = person.workspace().string();
    change_plan([=](Plan& plan) {
        std::erase_if(plan.private_directories,
                      [&](const auto& directory) { return directory.path == home; });
        std::erase_if(plan.zones, [&](const auto& one) { return one.path == workspace; });
        plan.zones.push_back(zone(home, true));
    });
}

pid_t Scene::run_as_person(const std::function<bool()>& work, const std::function<void()>& later) {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    const platform::Fd from(ready[0]);
    platform::Fd to(ready[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        const bool done = ::setresgid(person.ids().gid, person.ids().gid, person.ids().gid) == 0 &&
                          ::setresuid(person.ids().uid, person.ids().uid, person.ids().uid) == 0 &&
                          ::prctl(PR_SET_DUMPABLE, 1) == 0 && work();
        if (!done || ::write(to.get(), "x", 1) != 1) ::_exit(1);
        later();
        while (true) ::pause();
    }
    to.reset();
    kept.push_back(at_end([child] {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
    }));
    char byte;
    if (child < 0 || ::read(from.get(), &byte, 1) != 1)
        throw std::runtime_error("no process of the person's");
    return child;
}

}  // namespace reeve::test
