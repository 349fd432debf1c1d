// One session from its start to its end: the cgroup, reeve-confine's link, and what its listener is told.
//
//   kStarting ── Started ──▶ kRunning ◀── Stopped / signal ──▶ (stopped) ── Exited ──▶ kFinished ── release() ──▶ kEnding ──▶ gone
//        └── StepFailed, end(), a lost link: kEnding ───────────────────────────────────────────────────────────────▲
//
// All calls are for the event loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "daemon/session/companions.hpp"
#include "daemon/session/recorder.hpp"
#include "platform/confine.hpp"
#include "platform/linux/cgroup.hpp"
#include "platform/linux/confine/spawner.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::session {

// Who wants to know how it goes: the connection that asked for it. Called from the loop's
// thread; `ended` or `failed` may come from within end().
struct Listener {
    std::function<void(const platform::confine::StepDone&)> step = [](const auto&) {};
    std::function<void(platform::Fd terminal)> started = [](auto) {};
    std::function<void(int signal)> stopped = [](int) {};
    std::function<void(int status)> finished = [](int) {};
    // The last: everything of the session is gone, and its end is in the log.
    std::function<void(const End&)> ended = [](const auto&) {};
    // Nothing was started.
    std::function<void(const std::string& step, const platform::Error&)> failed = [](const auto&,
                                                                                     const auto&) {};
};

class Session {
  public:
    enum class State { kStarting, kRunning, kStopped, kFinished, kEnding };

    // What it is made of. `recorder` and `loop` outlive it.
    struct Parts {
        Facts facts;
        platform::Cgroup cgroup;
        platform::confine::Child child;
        std::unique_ptr<Companions> companions;
        Recorder& recorder;
        platform::EventLoop& loop;
        std::function<void()> gone;  // it may be destroyed: called last, by the loop itself
    };
    Session(Parts parts, Listener listener);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    platform::Status watch();  // once, after the construction

    const Facts& facts() const { return parts_.facts; }
    State state() const { return state_; }
    pid_t pid() const { return parts_.child.pid; }
    const platform::Cgroup& cgroup() const { return parts_.cgroup; }

    platform::Status signal(int signal);
    void release();                       // its listener has all that it wrote
    void end(const std::string& reason);  // now: every process of it is killed
    void process_stopped(pid_t pid) { parts_.companions->stopped(pid); }  // of any session
    void forget_listener() { listener_ = {}; }

  private:
    void read_link();
    bool take(platform::confine::Message message);
    void process_gone();
    void finish_when_gone();
    void finish(std::chrono::milliseconds again);
    void conclude();
    void companion_failed(const std::string& reason);

    Parts parts_;
    Listener listener_;
    State state_ = State::kStarting;
    platform::EventLoop::TimerId patience_ = 0;  // for processes that wait for a companion
    bool started_ = false, link_open_ = true, process_gone_ = false, finishing_ = false;
    End end_;
};

}  // namespace reeve::session
