// Which variables of the person's environment a session gets: an allow-list, since tokens live in environments.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/session/person.hpp"

namespace reeve::session {

// "NAME=value" of each string with a NUL after it. Strings without a name are dropped.
std::vector<std::string> split_environment(std::string_view bytes);

// `theirs` through the list, then what `pass` names (a final `*` stands for the rest), then what the session sets
// itself: HOME USER LOGNAME SHELL TMPDIR REEVE_SESSION, and PATH where there is none.
//
// Never handed through, whatever `pass` says: LD_*, GCONV_PATH and the like, which the dynamic linker and libc obey,
// and the addresses of sockets that do not exist inside (SSH_AUTH_SOCK, DBUS_SESSION_BUS_ADDRESS, DISPLAY, ...).
std::vector<std::string> session_environment(const std::vector<std::string>& theirs,
                                             std::span<const std::string> pass, const Person& person,
                                             const std::string& session);

// The value of a variable in such a list; empty where it is not there.
std::string value_of(const std::vector<std::string>& environment, std::string_view name);

}  // namespace reeve::session
