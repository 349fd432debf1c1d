// Every attack three times: with all walls it fails and the host is as before; each wall alone stops it where
// there is more than one; with none it gets through, so that the first two say something.
#include <gtest/gtest.h>

#include <sys/prctl.h>

#include <cerrno>
#include <sstream>
#include <system_error>

#include "tests/escape/scene.hpp"

namespace reeve::test {
namespace {

Wall all_of(const std::vector<Wall>& walls) {
    Wall names;
    for (const Wall& wall : walls) names.insert(names.end(), wall.begin(), wall.end());
    return names;
}

std::vector<Attack> with_walls(std::size_t at_least) {
    std::vector<Attack> chosen = attacks();
    std::erase_if(chosen, [=](const Attack& attack) { return attack.walls.size() < at_least; });
    return chosen;
}

std::string name_of(const testing::TestParamInfo<Attack>& info) {
    return info.param.name;
}

struct Result {
    Outcome outcome;
    std::vector<std::string> through, stopped;  // ways
    bool stopped_at_start = false;
    bool got_through = false;
    bool host_unchanged = true;
};

Result run(const Attack& attack, const Wall& without) {
    Wall names = attack.always;
    names.insert(names.end(), without.begin(), without.end());
    Scene scene(names);
    if (attack.prepare != nullptr) attack.prepare(scene);
    scene.person.remember();
    std::map<std::string, std::string> before, after;
    for (const auto& path : scene.watched) before.merge(snapshot(path));
    Result result;
    result.outcome = Session(scene.person, scene.options).attack(attack.name, scene.arguments);
    for (const auto& path : scene.watched) after.merge(snapshot(path));
    result.host_unchanged = before == after && scene.person.unchanged();
    std::istringstream lines(result.outcome.output);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) continue;
        const std::string way = line.substr(0, colon);
        if (line.compare(colon, 9, ": through") == 0) result.through.push_back(way);
        // With the walls down these come from a kernel that was built without it.
        bool absent = false;
        for (const int code : {ENOSYS, EAFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT})
            absent = absent || line.ends_with(std::generic_category().message(code));
        if (line.compare(colon, 9, ": stopped") == 0 && !absent && !attack.never.contains(way))
            result.stopped.push_back(way);
    }
    result.stopped_at_start = !scene.step_that_stops.empty() && !result.outcome.started &&
                              result.outcome.failed_step == scene.step_that_stops;
    result.got_through = scene.got_through ? scene.got_through() : !result.through.empty();
    return result;
}

void expect_stopped(const Result& run) {
    EXPECT_TRUE(run.stopped_at_start || run.outcome.exit_code == 0 || run.outcome.exit_code == 1)
        << run.outcome.text();
    EXPECT_FALSE(run.got_through) << run.outcome.text();
    EXPECT_TRUE(run.host_unchanged);
}

class Attacks : public testing::TestWithParam<Attack> {};
class WithoutTheDefence : public testing::TestWithParam<Attack> {};
class EachWall : public testing::TestWithParam<Attack> {};

bool cannot_be_shown(const Attack& attack) {
    return attack.needs >= 0 && ::prctl(PR_CAPBSET_READ, attack.needs) != 1;
}

TEST_P(Attacks, Fail) {
    if (cannot_be_shown(GetParam())) GTEST_SKIP() << "root here lacks capability " << GetParam().needs;
    const Result result = run(GetParam(), {});
    if (result.outcome.exit_code == 77) GTEST_SKIP() << result.outcome.output;
    expect_stopped(result);
}

TEST_P(WithoutTheDefence, Works) {
    if (cannot_be_shown(GetParam())) GTEST_SKIP() << "root here lacks capability " << GetParam().needs;
    const Result result = run(GetParam(), all_of(GetParam().walls));
    if (result.outcome.exit_code == 77) GTEST_SKIP() << result.outcome.output;
    EXPECT_TRUE(result.got_through) << result.outcome.text();
    // Every single way, or else one of them shows nothing.
    EXPECT_EQ(result.stopped, std::vector<std::string>()) << result.outcome.text();
}

TEST_P(EachWall, IsEnough) {
    for (std::size_t kept = 0; kept < GetParam().walls.size(); ++kept) {
        std::vector<Wall> others = GetParam().walls;
        const std::string name = others[kept][0];
        others.erase(others.begin() + static_cast<std::ptrdiff_t>(kept));
        SCOPED_TRACE("with the wall " + name + " alone");
        expect_stopped(run(GetParam(), all_of(others)));
    }
}

INSTANTIATE_TEST_SUITE_P(Escape, Attacks, testing::ValuesIn(attacks()), name_of);
INSTANTIATE_TEST_SUITE_P(Escape, WithoutTheDefence, testing::ValuesIn(with_walls(1)), name_of);
INSTANTIATE_TEST_SUITE_P(Escape, EachWall, testing::ValuesIn(with_walls(2)), name_of);

}  // namespace

void PrintTo(const Attack& attack, std::ostream* out) {
    *out << attack.name;
}

}  // namespace reeve::test
