#include "client/generate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

namespace reeve::client {
namespace {

using testing::HasSubstr;

class GenerateTest : public testing::Test {
  protected:
    GenerateTest() {
        app_.footer("EXIT STATUS\n.5 is none");
        auto* run = app_.add_subcommand("run", "start COMMAND confined");
        run->add_option("--workspace", folder_, "the agent's folder")->type_name("DIR");
        run->add_option("--for", lifespan_, "how long")->check(CLI::IsMember({"once", "session"}));
        run->add_flag("-q,--quiet", quiet_, "say [nothing]: it's fine");
        run->prefix_command();
        app_.add_subcommand("policy", "rules")
            ->add_subcommand("check", "reads files")
            ->add_option("FILE", files_);
        app_.add_option("--generate", hidden_, "")->group("");
    }
    std::string text(Generated kind) { return generate(kind, app_, "1.2"); }

    CLI::App app_{"keeps agents in bounds", "reeve"};
    std::string folder_, lifespan_, hidden_;
    std::vector<std::string> files_;
    bool quiet_ = false;
};

TEST_F(GenerateTest, ManPageHasCommandsOptionsAndTheFooterEscaped) {
    const auto page = text(Generated::kMan);
    EXPECT_THAT(page, HasSubstr(".TH REEVE 1 \"\" \"reeve 1.2\""));
    EXPECT_THAT(page, HasSubstr(".SS reeve run [options] COMMAND...\nstart COMMAND confined\n"));
    EXPECT_THAT(page, HasSubstr(".B \\-\\-workspace DIR\nthe agent's folder\n"));
    EXPECT_THAT(page, HasSubstr(".SS reeve policy check"));
    EXPECT_THAT(page, HasSubstr(".SH EXIT STATUS\n.nf\n\\&.5 is none\n"));
}

TEST_F(GenerateTest, HiddenOptionsStayHidden) {
    for (const auto kind : {Generated::kMan, Generated::kBash, Generated::kZsh, Generated::kFish}) {
        const auto made = text(kind);
        // Once, in the line that says how the file was made.
        EXPECT_EQ(made.find("generate"), made.rfind("generate")) << made;
    }
}

TEST_F(GenerateTest, BashCompletesValuesByTheirKind) {
    const auto script = text(Generated::kBash);
    EXPECT_THAT(script, HasSubstr("'reeve run --workspace') wanted=(-d)"));
    EXPECT_THAT(script, HasSubstr("'reeve run --for') wanted=(-W 'once session')"));
    EXPECT_THAT(script, HasSubstr("-q --quiet' -c) ;;"));
    EXPECT_THAT(script, HasSubstr("'reeve policy') wanted=(-W '-h --help check')"));
    EXPECT_THAT(script, HasSubstr("|'reeve policy check')"));
}

TEST_F(GenerateTest, ZshQuotesWhatItsArgumentsWouldRead) {
    const auto script = text(Generated::kZsh);
    EXPECT_THAT(script, HasSubstr("#compdef reeve\n"));
    EXPECT_THAT(script, HasSubstr("'(-q --quiet)--quiet[say \\[nothing\\]\\: it'\\''s fine]'"));
}

TEST_F(GenerateTest, FishNamesTheCommandThatAnOptionBelongsTo) {
    EXPECT_THAT(
        text(Generated::kFish),
        HasSubstr(
            "-n 'test (__reeve_path) = \"reeve run\"' -s q -l quiet -d 'say [nothing]: it'\\''s fine'"));
}

TEST(GeneratedFrom, KnowsFourWords) {
    EXPECT_EQ(generated_from("zsh"), Generated::kZsh);
    EXPECT_EQ(generated_from("tcsh"), std::nullopt);
}

}  // namespace
}  // namespace reeve::client
