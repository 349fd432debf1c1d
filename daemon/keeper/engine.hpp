// What all calls of a session share: its places and rules, its tree, its callers, and where reports go.
//
// The lock: whoever decides on a name holds it shared from before it looks where the name's directory is until the
// change is made; a rename or link, which is what could put another directory or file in that place, holds it alone.
// So the agent's own renames cannot come between decision and change. Renames by programs outside of the session can;
// they are not in the agent's power. Nothing that may wait for another process is done under it: what is veiled is
// decided again, on its nodes, by reeve-veil, and is not locked.
#pragma once

#include <cstdint>
#include <shared_mutex>

#include "daemon/access/reporter.hpp"
#include "daemon/access/setup.hpp"
#include "daemon/keeper/caller.hpp"
#include "daemon/keeper/links.hpp"
#include "daemon/keeper/tree.hpp"
#include "daemon/keeper/umasks.hpp"
#include "platform/linux/notify/listener.hpp"
#include "policy/table.hpp"

namespace reeve::keeper {

// A thread that is about to wait for something outside of the keeper's power says so, so that another one takes calls
// meanwhile; and names the call, so that the wait ends when the caller does.
class Waiting {
  public:
    virtual ~Waiting() = default;
    // False where so many wait that one more would leave none to take calls.
    virtual bool begin(const platform::notify::Call& call) = 0;
    // 0, or what the caller gets because it has a signal to handle: EINTR or kRestart.
    virtual int interrupted() const = 0;
    virtual void end() = 0;
};

struct Engine {
    const access::Setup& setup;
    const policy::Table& table;
    const platform::notify::Listener& listener;
    Tree& tree;
    access::Reporter& reporter;
    Waiting& waiting;
    int connections = -1;  // SOCK_SEQPACKET to reeve-egress, which is told of each connect(); -1: nobody is
    Callers callers = {};
    Umasks umasks = {};
    Links links = {};
    std::shared_mutex renames = {};

    bool enforces() const { return table.mode() == policy::Mode::enforce; }
};

}  // namespace reeve::keeper
