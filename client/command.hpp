// What a command of `reeve` is made of: a function that defines it, and the action that its definition leaves
// behind once the command line has been read. Actions are run after that, outside of the parser.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/api/connection.hpp"

namespace CLI {
class App;
}

namespace reeve::client {

// FORMATS, "Commands".
inline constexpr int kYes = 0, kNo = 1, kUsage = 2, kNoDaemon = 3, kNotStarted = 125;

struct Invocation {
    std::function<int()> action;       // gives the exit code
    std::vector<std::string> command;  // of `reeve run`: the words that are not Reeve's
};

// One function a family of commands.
using Family = void (*)(CLI::App& app, Invocation& invocation);
void add_run(CLI::App& app, Invocation& invocation);
void add_sessions(CLI::App& app, Invocation& invocation);  // ps, stop
void add_log(CLI::App& app, Invocation& invocation);
void add_policy(CLI::App& app, Invocation& invocation);
void add_posture(CLI::App& app, Invocation& invocation);      // posture, doctor
void add_attestation(CLI::App& app, Invocation& invocation);  // attest, verify
void add_audit(CLI::App& app, Invocation& invocation);

// "reeve: cannot ...", a line each, on standard error, safe for a terminal. Gives `exit_code`.
int complain(const platform::Error& error, int exit_code);
int complain(const api::CallError& error);  // kNoDaemon where it is lost, else kNo

// Connects and makes one call.
std::expected<api::Json, api::CallError> ask(const api::Json& request,
                                             const api::OnEvent& on_event = nullptr);

// Members of an answer. What is not there, or of another type, is empty; a number comes as its text.
std::string text_of(const api::Json& object, const char* name);
const api::Json& list_of(const api::Json& object, const char* name);

// One JSON object a line, bytes that are no UTF-8 as U+FFFD.
void print_json(const api::Json& object);
// Standard output is flushed; kNo, with a word of complaint, where what was printed could not be written.
int finish_output(int exit_code);

}  // namespace reeve::client
