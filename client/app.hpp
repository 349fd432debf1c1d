// The whole command line of `reeve`: its definitions, and how a line is read.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "client/command.hpp"

namespace reeve::client {

// The commands of these families; `invocation` must outlive it. The man page and the shells' completions are made from
// all of them.
std::unique_ptr<CLI::App> make_app(Invocation& invocation, std::span<const Family> families);
std::span<const Family> all_families();

// Reads the words behind the program's name. An exit code where there is nothing more to do (help, version,
// a mistake, which standard error explains); -1 where invocation.action is to be run.
int read_line(CLI::App& app, std::vector<std::string> words, Invocation& invocation);

// What a program's main() does: reads its command line and runs the action. The exit code.
int run_program(int argc, char** argv, std::span<const Family> families);

// The known word that is nearest to a mistyped one; "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace reeve::client
