// The call "run": what the client hands over, and what it is told while the command runs.
//
//   client                                     reeved
//   {"call":"run",...} + fds              ->
//                                         <-   {"event":"step","step","nanoseconds"}   with report_steps
//                                         <-   {"event":"started","session","agent","policy"} [+ the
//                                         terminal's master side]
//   {"call":"signal","signal":N}          ->   to the foreground of the session; at any time
//                                         <-   {"event":"stopped","signal":N}   job control stopped the
//                                         command
//                                         <-   {"event":"finished","status":N}  as waitpid(2) gives it
//   {"call":"drained"}                    ->   the client has read what the command wrote: the session may go
//                                         <-   {"done":{"status":N,"session":ID}}
//
// The end of the connection ends the session. Resizing, input and output need no call: the client holds the
// terminal's master side, or the other ends of the pipes.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/message.hpp"

namespace reeve::api {

// Bytes of a sealed memfd that a request comes with.
inline constexpr std::size_t kMaxEnvironment = 2U << 20;
inline constexpr std::size_t kMaxPolicy = 1U << 20;

struct RunRequest {
    std::vector<std::string> command;  // argv, at least one
    std::string agent;                 // of --agent; empty: whichever the executable belongs to
    std::string user;                  // of --user, for root; empty: the caller
    bool terminal[3] = {};             // which standard streams are the client's terminal
    unsigned short rows = 24, columns = 80;
    std::vector<std::string> pass_environment;  // names that --env adds to those that are handed through
    bool report_steps = false;

    // In this order. Standard streams that are a terminal are left out; the others are anonymous pipes: one
    // end of anything else would be a way out of the session, so that the client copies.
    platform::Fd environment;        // sealed memfd: "NAME=value" with a NUL after each
    platform::Fd working_directory;  // O_PATH
    platform::Fd workspace;          // O_PATH; empty: the working directory
    platform::Fd policy;             // sealed memfd with the text of --policy; empty: none
    std::string policy_name;         // its file name, for errors
    platform::Fd streams[3];

    // Gives the message's body; the descriptors, in their order, stay its own.
    Json body() const;
    std::vector<int> fds() const;
    static platform::Result<RunRequest> parse(Message message);
};

}  // namespace reeve::api
