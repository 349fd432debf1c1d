// What this kernel offers to build a session's walls with, and whether the walls held when they were tried.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"
#include "platform/linux/posture/walls.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kSelfTest{"sandbox", "self-test"};
constexpr std::size_t kMostWalls = 64;

Check offered(std::string_view name, bool there, const char* what) {
    const Id id{"sandbox", name};
    if (there) return success(id, what);
    return absent(id, reason::kNotInKernel, std::string("this kernel lacks: ") + what, "use a newer kernel");
}

Check seccomp(const FileSystem& files) {
    const Id id{"sandbox", "seccomp"};
    const auto text = files.read("/proc/sys/kernel/seccomp/actions_avail");
    if (!text && text.error().code == ENOENT) {
        if (const auto proc = files.stat("/proc/sys/kernel"); !proc) return not_run(id, proc.error());
        return absent(id, reason::kNotInKernel, "this kernel has no seccomp filters");
    }
    if (!text) return not_run(id, text.error());
    auto rest = trim(*text);
    bool listener = false, killing = false;
    while (!rest.empty()) {
        const auto action = next(rest, ' ');
        listener = listener || action == "user_notif";
        killing = killing || action == "kill_process";
    }
    return offered("seccomp", listener && killing, "seccomp filters that can kill and ask");
}

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= 40 && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

Check of_wall(const Wall& wall) {
    const Id id{"sandbox", wall.name};
    if (!wall.held) return not_run(id, reason::kUnsupported, wall.detail);
    if (*wall.held) return success(id, wall.detail);
    return fail(id, "value_open", wall.detail, "run `reeve doctor`");
}

std::vector<Check> self_test(const SelfTest& run) {
    if (!run) return {not_run(kSelfTest, reason::kNotInstalled, "no self-test is wired in here")};
    const auto text = run();
    if (!text) return {not_run(kSelfTest, text.error())};
    const auto walls = parse_self_test(*text);
    if (!walls) return {not_run(kSelfTest, walls.error())};

    std::vector<Check> checks;
    std::string open, untried;
    for (const auto& wall : *walls) {
        checks.push_back(of_wall(wall));
        if (wall.held && !*wall.held) open += " " + wall.name;
        if (!wall.held) untried += " " + wall.name;
    }
    // A victim that was cut off must not pass for one that held.
    for (const auto known : kWalls) {
        if (std::ranges::find(*walls, known, &Wall::name) != walls->end()) continue;
        checks.push_back(not_run({"sandbox", known}, reason::kDegraded, "the self-test did not report it"));
        untried += " " + std::string(known);
    }
    if (!open.empty())
        checks.push_back(fail(kSelfTest, "value_open", "did not hold:" + open, "run `reeve doctor`"));
    else if (!untried.empty())
        checks.push_back(not_run(kSelfTest, reason::kDegraded, "could not be tried:" + untried));
    else
        checks.push_back(success(kSelfTest, "all " + std::to_string(walls->size()) + " walls held"));
    return checks;
}

}  // namespace

Result<std::vector<Wall>> parse_self_test(std::string_view text) {
    std::vector<Wall> walls;
    std::set<std::string> seen;
    while (!text.empty()) {
        const auto line = next(text, '\n');
        if (trim(line).empty()) continue;
        const auto json = nlohmann::json::parse(line, nullptr, false);
        if (!json.is_object() || !json.contains("wall") || !json["wall"].is_string() ||
            !json.contains("held"))
            return malformed("the self-test's answer", "'" + printable(line) + "'");
        Wall wall{.name = json["wall"].get<std::string>(), .held = {}, .detail = {}};
        if (!is_name(wall.name) || !seen.insert(wall.name).second || seen.size() > kMostWalls)
            return malformed("the self-test's answer", "a wall named '" + printable(wall.name) + "'");
        if (json["held"].is_boolean())
            wall.held = json["held"].get<bool>();
        else if (!json["held"].is_null())
            return malformed("the self-test's answer", "'" + printable(line) + "'");
        if (json.contains("detail") && json["detail"].is_string())
            wall.detail = printable(json["detail"].get_ref<const std::string&>());
        walls.push_back(std::move(wall));
    }
    if (walls.empty()) return malformed("the self-test's answer", "it is empty");
    return walls;
}

std::vector<Check> probe_sandbox(const Sources& from, const Subject&) {
    std::vector<Check> checks;
    const auto support = from.kernel.support();
    if (support) {
        const auto landlock = "Landlock ABI " + std::to_string(support->landlock_abi);
        checks.push_back(offered("landlock", support->landlock_abi > 0, landlock.c_str()));
        checks.push_back(offered("user-namespaces", support->user_namespaces, "user namespaces"));
        checks.push_back(offered("cgroup-kill", support->cgroup_kill, "cgroup v2 with cgroup.kill"));
        checks.push_back(
            offered("memfd-noexec", support->memfd_noexec, "memory files that cannot be executed"));
    } else {
        for (const char* name : {"landlock", "user-namespaces", "cgroup-kill", "memfd-noexec"})
            checks.push_back(not_run({"sandbox", name}, support.error()));
    }
    checks.push_back(seccomp(from.files));
    return checks;
}

std::vector<Check> probe_self_test(const Sources& from, const Subject&) {
    return self_test(from.self_test);
}

}  // namespace reeve::platform::posture
