// The work on one call: what every kind of call needs to copy, resolve, judge, do and report.
//
// The functions that do a call (calls.hpp) take one of these. Nothing in it outlives the call.
#pragma once

#include <errno.h>

#include <sys/stat.h>

#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "daemon/keeper/engine.hpp"
#include "daemon/keeper/judge.hpp"
#include "daemon/keeper/request.hpp"
#include "daemon/keeper/resolve.hpp"

namespace reeve::keeper {

// What a report says besides the judgement.
struct Event {
    std::string_view path;
    std::string_view target = {};
    bool directory = false;
    int code = 0;  // what the caller gets
};

class Work {
  public:
    Work(Engine& of, Request& call) : engine(of), request(call), judge(of), resolve(of.tree, call) {}

    Engine& engine;
    Request& request;
    Judge judge;
    Resolver resolve;

    // Reports what is to be recorded, and gives `code` back. The caller is answered afterwards only.
    int record(const Judgement& judged, const Event& event);

    // Sets this thread's umask to the caller's: 0 or an errno. Only for what is about to be created.
    int take_umask();

    // What stands under a name, without following it; nothing: nothing that could be looked at. `mount`: something is
    // mounted there in the session. The kernel refuses to move or remove it there, but this process is in another mount
    // namespace, for which it would take the mount away instead.
    struct Standing {
        bool mount = false;
        struct stat status {};  // type, device, number and links alone
    };
    static std::optional<Standing> look(int directory, const std::string& name);
    // Whether a place of the session is there or below: such a directory stays where it is.
    bool holds_place(const std::string& path) const;

    // The descriptor of a held object for calls that take paths: through /proc/self/fd.
    int links() const { return engine.tree.links(); }
};

// The engine's lock, for a name at a place that is not veiled.
class Locked {
  public:
    enum class How : std::uint8_t { shared, alone };
    Locked(Engine& engine, How how) : mutex_(engine.renames), how_(how) {
        how == How::alone ? mutex_.lock() : mutex_.lock_shared();
    }
    Locked(const Locked&) = delete;
    Locked& operator=(const Locked&) = delete;
    ~Locked() { release(); }
    void release() {
        if (held_) how_ == How::alone ? mutex_.unlock() : mutex_.unlock_shared();
        held_ = false;
    }

  private:
    std::shared_mutex& mutex_;
    How how_;
    bool held_ = true;
};

// While it lives, this thread may wait for something else than the kernel's own work.
class MayWait {
  public:
    MayWait(Engine& engine, const Request& request)
        : waiting_(engine.waiting), allowed_(waiting_.begin(request.call())) {}
    MayWait(const MayWait&) = delete;
    MayWait& operator=(const MayWait&) = delete;
    ~MayWait() {
        if (allowed_) waiting_.end();
    }
    // Runs `change`, which gives 0 or an errno. An interruption is given as the caller is to see it.
    template <class Do>
    int run(Do change) {
        if (!allowed_) return ENFILE;
        const int code = change();
        return code == EINTR && waiting_.interrupted() != 0 ? waiting_.interrupted() : code;
    }
    int interrupted() const { return waiting_.interrupted(); }

  private:
    Waiting& waiting_;
    bool allowed_;
};

}  // namespace reeve::keeper
