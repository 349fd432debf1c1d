// Signals as something to read, for the time of its life: what `reeve run` passes on, and what tells it about
// its terminal. The signal mask is put back in the end.
#pragma once

#include <csignal>
#include <optional>

#include "daemon/api/message.hpp"

namespace reeve::client {

class Signals {
  public:
    // INT, TERM, HUP, QUIT, TSTP, CONT, WINCH and USR1, USR2 are read; TTIN, TTOU and PIPE come as results of
    // calls. Those that are ignored stay ignored.
    Signals();
    ~Signals();
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    int get() const { return fd_.get(); }  // readable when one is there
    std::optional<int> next();             // never waits

    // Lets `signal` (a stop signal) do to this process, or to its whole process group, what it does by
    // default, and comes back when it goes on. False where nothing stopped: the group is orphaned, and nobody
    // would ever wake it.
    bool stop_by(int signal, bool group);

  private:
    sigset_t before_{};
    platform::Fd fd_;
};

}  // namespace reeve::client
