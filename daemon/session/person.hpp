// A person as the name service knows them: for whom a session runs.
#pragma once

#include <sys/types.h>

#include <string>

#include "platform/confine.hpp"
#include "platform/result.hpp"

namespace reeve::session {

struct Person {
    platform::confine::Person ids;
    std::string home;  // resolved: no symbolic link in it
};

// Refused: uid 0, somebody the name service does not know, a home that is not a directory of theirs. May wait for the
// name service (LDAP and the like).
platform::Result<Person> find_person(uid_t uid);
platform::Result<Person> find_person(const std::string& name);
// The name alone, or the number where there is none.
std::string name_of(uid_t uid);

}  // namespace reeve::session
