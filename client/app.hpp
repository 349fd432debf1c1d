// The whole command line of `reeve`: its definitions, and how a line is read.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/command.hpp"

namespace reeve::client {

// Every command; `invocation` must outlive it. The man page and the shells' completions are made from this.
std::unique_ptr<CLI::App> make_app(Invocation& invocation);

// Reads the words behind the program's name. An exit code where there is nothing more to do (help, version,
// a mistake, which standard error explains); -1 where invocation.action is to be run.
int read_line(CLI::App& app, std::vector<std::string> words, Invocation& invocation);

// The known word that is nearest to a mistyped one; "" where none is near.
std::string nearest(const std::string& word, const std::vector<std::string>& known);

}  // namespace reeve::client
