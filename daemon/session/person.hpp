// A person as the name service knows them: for whom a session runs.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>

#include "platform/confine.hpp"
#include "platform/result.hpp"

namespace reeve::session {

struct Person {
    platform::confine::Person ids;
    std::string home;  // resolved: no symbolic link in it
};

// Whom somebody means: by number or by name.
using Who = std::variant<uid_t, std::string>;

// What the name service says of somebody.
struct Account {
    platform::confine::Person ids;
    std::string home;  // as it is written there
};

// Refused: uid 0, and somebody whom the name service does not know. May wait for it (LDAP and the like): people.hpp asks
// in a thread of its own.
platform::Result<Account> find_account(const Who& who);

// With their home as it is now. Refused: one that is not a directory of theirs.
platform::Result<Person> person_of(Account account);

}  // namespace reeve::session
