// An agent's state directory, made where policy names it and it is not there yet: the one thing that a session's start may
// add to the person's tree, since without it everything that the agent wants to remember is lost (FORMATS: its `state`
// is writable and lasts).
//
// Not covered: which directories those are (policy::Zone::state), and files.
#pragma once

#include <string>
#include <vector>

#include "daemon/session/person.hpp"

namespace reeve::session {

// Makes `path` and what is missing above it, below the person's home: with their ids and rights, mode 0700, no link
// followed, and only inside of directories that are theirs. `made` gets the directories that were made, from the top, also
// those from before an Error.
platform::Status make_state(const Person& person, const std::string& path, std::vector<std::string>& made);

}  // namespace reeve::session
