// Every probe on captured devices: scenes/*.scene say what is there and what must come of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "platform/linux/posture/checks.hpp"
#include "tests/unit/platform/posture/scene.hpp"

namespace reeve::platform::posture::test {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> scene_names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(REEVE_SCENES)) names.push_back(entry.path().stem());
    std::ranges::sort(names);
    return names;
}

fs::path file_of(const std::string& name) {
    return fs::path(REEVE_SCENES) / (name + ".scene");
}

bool is_known_reason(const std::string& word) {
    static const std::set<std::string_view> kKnown = {reason::kTimeout,
                                                      reason::kPermission,
                                                      reason::kParseError,
                                                      reason::kUnsupported,
                                                      reason::kUnsupportedVersion,
                                                      reason::kNotInstalled,
                                                      reason::kNotInKernel,
                                                      reason::kNotMounted,
                                                      reason::kDegraded,
                                                      reason::kPassiveMode,
                                                      reason::kStale,
                                                      reason::kClockInvalid,
                                                      reason::kUnsynchronised,
                                                      reason::kPending,
                                                      reason::kIoError};
    return kKnown.contains(word) || word.starts_with("value_");
}

bool is_printable(const std::string& line) {
    return std::ranges::all_of(line, [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

class Scenes : public testing::TestWithParam<std::string> {};

TEST_P(Scenes, AreReadAsTheySay) {
    const Scene scene(file_of(GetParam()));
    ASSERT_FALSE(scene.expectations().empty());
    std::vector<std::string> areas;
    for (const auto& expected : scene.expectations())
        areas.push_back(expected.id.substr(0, expected.id.find('.')));
    const auto checks = scene.probe(areas);
    for (const auto& expected : scene.expectations()) {
        const auto check = std::ranges::find(checks, expected.id, &Check::id);
        ASSERT_NE(check, checks.end()) << expected.id << " is not reported";
        EXPECT_EQ(text(check->word), expected.word) << expected.id << ": " << check->detail;
        EXPECT_EQ(check->reason, expected.reason) << expected.id << ": " << check->detail;
    }
}

// Whatever there is to see: every name once, a reason unless it is success, and lines that are safe to show.
TEST_P(Scenes, GiveWellFormedChecks) {
    const Scene scene(file_of(GetParam()));
    std::set<std::string> ids;
    for (const auto& check : scene.probe()) {
        EXPECT_TRUE(ids.insert(check.id()).second) << check.id();
        EXPECT_EQ(check.reason.empty(), check.word == Word::kSuccess) << check.id();
        EXPECT_TRUE(check.reason.empty() || is_known_reason(check.reason))
            << check.id() << " " << check.reason;
        EXPECT_FALSE(check.detail.empty()) << check.id();
        EXPECT_TRUE(is_printable(check.detail) && is_printable(check.todo))
            << check.id() << " " << check.detail;
    }
    for (const auto& probe : probes())
        for (const auto name : probe.names)
            EXPECT_TRUE(ids.contains(std::string(probe.area) + "." + std::string(name)))
                << probe.area << "." << name;
}

INSTANTIATE_TEST_SUITE_P(Posture, Scenes, testing::ValuesIn(scene_names()), [](const auto& scene) {
    std::string name = scene.param;
    std::ranges::replace(name, '-', '_');
    return name;
});

// Nothing is there at all: nothing is claimed, and nothing passes.
TEST(EmptyDevice, GivesNoSuccess) {
    const auto scene = std::make_unique<Scene>(file_of("empty"));
    for (const auto& check : scene->probe())
        EXPECT_NE(check.word, Word::kSuccess) << check.id() << ": " << check.detail;
}

// --- the words

TEST(Reasons, FollowFromTheErrno) {
    const std::pair<int, std::string_view> kTable[] = {
        {EACCES, "permission"}, {EPERM, "permission"},    {ETIMEDOUT, "timeout"},  {EBADMSG, "parse_error"},
        {EFBIG, "parse_error"}, {ENOTSUP, "unsupported"}, {ENOSYS, "unsupported"}, {EIO, "io_error"},
        {ENOENT, "io_error"},   {0, "io_error"}};
    for (const auto& [code, word] : kTable)
        EXPECT_EQ(reason_of({.tried = "x", .on = "y", .why = "z", .todo = "", .code = code}), word) << code;
}

TEST(Reasons, ValuesAreWords) {
    EXPECT_EQ(value_reason("none"), "value_none");
    EXPECT_EQ(value_reason("A b\"\n\xff"), "value_a_b___");
    EXPECT_EQ(value_reason(std::string(100, 'x')).size(), 46U);
}

}  // namespace
}  // namespace reeve::platform::posture::test
