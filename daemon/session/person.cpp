#include "daemon/session/person.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <vector>

namespace reeve::session {
namespace {

using platform::error;
using platform::os_error;
using platform::Result;

struct Entry {
    passwd record{};
    std::vector<char> memory;
};

// getpwnam_r or getpwuid_r, with as much memory as the entry needs.
using Ask = std::function<int(passwd*, char*, std::size_t, passwd**)>;

Result<Entry> look_up(const std::string& who, const Ask& ask) {
    Entry entry;
    entry.memory.resize(4096);
    for (;;) {
        passwd* found = nullptr;
        const int code = ask(&entry.record, entry.memory.data(), entry.memory.size(), &found);
        if (code == ERANGE && entry.memory.size() < (1U << 20)) {
            entry.memory.resize(entry.memory.size() * 2);
            continue;
        }
        if (code != 0)
            return os_error("look up the person", who, code,
                            "see whether the name service works: getent passwd " + who);
        if (found == nullptr)
            return error("look up the person", who, "the name service does not know them",
                         "see getent passwd " + who);
        return entry;
    }
}

Result<std::vector<gid_t>> groups_of(const passwd& record) {
    int count = 64;
    std::vector<gid_t> groups;
    do {
        groups.resize(static_cast<std::size_t>(count));
    } while (::getgrouplist(record.pw_name, record.pw_gid, groups.data(), &count) < 0 && count <= 65536);
    if (count > 65536) return error("list the groups of", record.pw_name, "there are more than 65536");
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

}  // namespace

Result<Account> find_account(const Who& who) {
    const auto* uid = std::get_if<uid_t>(&who);
    const std::string shown = uid != nullptr ? std::to_string(*uid) : std::get<std::string>(who);
    auto entry = look_up(shown, [&](passwd* record, char* memory, std::size_t size, passwd** found) {
        return uid != nullptr ? ::getpwuid_r(*uid, record, memory, size, found)
                              : ::getpwnam_r(shown.c_str(), record, memory, size, found);
    });
    if (!entry) return std::unexpected(entry.error());
    const passwd& record = entry->record;
    if (record.pw_uid == 0)
        return error("start a session for", record.pw_name, "uid 0 is not a person",
                     "name one: reeve run --user NAME");
    auto groups = groups_of(record);
    if (!groups) return std::unexpected(groups.error());
    return Account{.ids = {.uid = record.pw_uid,
                           .gid = record.pw_gid,
                           .groups = std::move(*groups),
                           .name = record.pw_name},
                   .home = record.pw_dir};
}

Result<Person> person_of(Account account) {
    const std::unique_ptr<char, decltype(&std::free)> path(::realpath(account.home.c_str(), nullptr),
                                                           &std::free);
    if (!path) return os_error("find the home of " + account.ids.name, account.home);
    struct stat status {};
    if (::stat(path.get(), &status) != 0) return os_error("look at the home", path.get());
    if (!S_ISDIR(status.st_mode) || status.st_uid != account.ids.uid)
        return error("use the home", path.get(), "it is not a directory that belongs to " + account.ids.name,
                     "give the person a home directory");
    return Person{.ids = std::move(account.ids), .home = path.get()};
}

}  // namespace reeve::session
