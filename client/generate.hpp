// Man page and shell completion, made from the command line's own definitions, so that they cannot drift from
// it. The package calls `reeve --generate KIND` while it is built; nobody else needs it. It does not cover:
// prose that the definitions do not hold (that is the app's footer), and completion of values that only a
// running daemon knows (session and grant ids).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace reeve::client {

enum class Generated { kMan, kBash, kZsh, kFish };

// "man", "bash", "zsh" or "fish"; nothing for another word.
std::optional<Generated> generated_from(std::string_view word);

// The whole text of the file. Options and commands of the empty group are hidden in CLI11 and left out here
// too. `version` stands in the footer of the man page (section 1).
std::string generate(Generated kind, const CLI::App& app, std::string_view version);

}  // namespace reeve::client
