// The other program of the client, which has every command.
#pragma once

namespace reeve::client {

// Executes reeve-commands with these arguments: the one that lies beside this program (a build tree), or else where it is
// installed. Returns only where that fails, which standard error explains: an exit code.
int become_commands(char** arguments);

}  // namespace reeve::client
