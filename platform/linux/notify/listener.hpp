// The receiving end of seccomp user notification (seccomp_unotify(2), Linux 5.0; ADDFD 5.9; SYNC_WAKE_UP 6.6).
//
// It takes calls from the kernel and gives answers back; what an answer should be it does not know. All functions may
// be called by several threads at once.
#pragma once

#include <linux/seccomp.h>
#include <sys/types.h>

#include <cstdint>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform::notify {

// One system call whose thread waits for an answer.
struct Call {
    std::uint64_t id = 0;
    pid_t tid = 0;  // of the thread, in the reader's pid namespace; another's as soon as valid() is false
    int number = 0;
    std::uint32_t architecture = 0;  // AUDIT_ARCH_*
    std::uint64_t arguments[6] = {};
};

class Listener {
  public:
    // An Error where the kernel's structures do not fit this program's. Asks for sync wake-ups: the thread that
    // waits for calls then runs where the caller ran, which saves ten microseconds a call (MEASURED).
    static Result<Listener> take(Fd fd);

    // Waits for a call. False where there is none yet after all: a signal came, or the caller was killed. An Error
    // where there will be none any more.
    Result<bool> receive(Call& call) const;
    // Whether a call waits that nobody has received.
    bool waits() const;

    // Whether the caller still waits, so that what was learned by its tid before this call was about it.
    bool valid(std::uint64_t id) const;

    // Each ends the call. That the caller is gone is no error.
    void give(std::uint64_t id, std::int64_t value) const { send(id, value, 0, 0); }
    void fail(std::uint64_t id, int error) const { send(id, 0, -error, 0); }
    // Lets the kernel do the call, with arguments as they are in memory by then.
    void proceed(std::uint64_t id) const { send(id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE); }

    // Puts `fd` into the caller's table and gives its number there, or -errno (EMFILE: the caller's limit; ENOENT:
    // the caller is gone). The call still waits for its answer then: in one step (ADDFD_FLAG_SEND) the caller would
    // run on while this process has its file open for writing, and could not execute it (ETXTBSY).
    int add_descriptor(std::uint64_t id, int fd, bool close_on_exec) const;

    int fd() const { return fd_.get(); }

  private:
    explicit Listener(Fd fd) : fd_(std::move(fd)) {}
    void send(std::uint64_t id, std::int64_t value, int error, std::uint32_t flags) const;

    Fd fd_;
};

}  // namespace reeve::platform::notify
