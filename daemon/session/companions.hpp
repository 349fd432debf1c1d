// reeve-keeper, reeve-veil and reeve-egress of one session: their start, what happens when one is gone, and their end.
//
// They start before the session and end after it: when it is over they say the rest of what they have to report, and
// go by themselves. Keeper or veil gone before that ends the session; reeve-egress is started once more, and after that
// the session goes on without a way out. They live in a cgroup of their own beside the session's, so that limits of the
// session do not starve them and nothing takes them for the person.
//
// All calls are for the event loop's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "daemon/egress/setup.hpp"
#include "daemon/session/plan.hpp"
#include "daemon/session/policies.hpp"
#include "daemon/session/recorder.hpp"
#include "platform/linux/cgroup.hpp"
#include "platform/linux/confine/spawner.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/network/doors.hpp"

namespace reeve::session {

inline constexpr std::chrono::seconds kMostStopped{10};

class Companions {
  public:
    // What they are started for.
    struct Wanted {
        const std::string& session;
        const platform::confine::Person& person;
        const Planned& planned;
        const std::string& home;
        const std::shared_ptr<const platform::Fd>& table;
        const policy::Policy& policy;
        const std::shared_ptr<const std::string>& network;  // Compiled::network
        const platform::confine::Person* egress_user;       // null: there is no way out on this machine
    };
    // Starts those that `wanted.planned.means` asks for, and reeve-egress where the policy lets anything out; gives their
    // control sockets to the recorder, and puts what reeve-confine needs of them into `fds`. None is asked for: an object
    // that is at its end. An Error leaves nothing.
    static platform::Result<std::unique_ptr<Companions>> start(platform::EventLoop& loop,
                                                               platform::confine::Spawner& spawner,
                                                               Recorder& recorder, const Wanted& wanted,
                                                               platform::confine::StartFds& fds);
    ~Companions();
    Companions(const Companions&) = delete;
    Companions& operator=(const Companions&) = delete;

    // `failed` is told in words of each that ends before finish() is called, or is stopped for too long.
    platform::Status watch(std::function<void(const std::string& reason)> failed);
    // A process was stopped. If it is one of these and stays so for kMostStopped, `failed` is told: whoever waits for it
    // would wait for ever.
    void stopped(pid_t pid);
    // At once, whatever they have not reported yet: who waits for one that does not answer cannot even be killed.
    void kill();
    // The session is over: they have this long to end by themselves before they are killed. `ended` is called once,
    // not from within.
    void finish(std::chrono::milliseconds patience, std::function<void()> ended);

    // Why the session has no way out although its policy lets something out; empty: it has one, or needs none.
    const std::string& no_way_out() const { return no_way_out_; }

  private:
    struct Process {
        const char* name;
        platform::confine::Companion running;
        platform::Fd control;  // a second descriptor of what the recorder reads
        bool way_out;          // reeve-egress, without which the session goes on
        bool gone = false;
    };
    // What it takes to start reeve-egress, again too.
    struct WayOut {
        platform::confine::Person user;
        egress::Setup setup;
        platform::Fd processes;  // as kProcessesFd
        platform::network::Doors doors;
    };
    Companions(platform::EventLoop& loop, platform::confine::Spawner& spawner, Recorder& recorder)
        : loop_(loop), spawner_(spawner), recorder_(recorder) {}
    platform::Status start_all(const Wanted& wanted, platform::confine::StartFds& fds);
    struct Given;
    using Start = std::function<platform::Result<platform::confine::Companion>(const Given& given)>;
    platform::Status start_one(const char* name, const std::string& session, const std::string& setup,
                               bool way_out, const Start& start);
    platform::Status start_keeper(const Wanted& wanted, const access::Setup& setup, platform::Fd work);
    platform::Status start_veil(const Wanted& wanted, const access::Setup& setup,
                                platform::confine::StartFds& fds);
    platform::Status take_way_out(const Wanted& wanted, platform::confine::StartFds& fds);
    platform::Status start_egress();
    platform::Status await(Process& process);
    void ended(Process& process);
    void egress_ended();
    void settle();
    void remove(std::chrono::milliseconds again);

    platform::EventLoop& loop_;
    platform::confine::Spawner& spawner_;
    Recorder& recorder_;
    std::optional<WayOut> way_out_;
    platform::Fd
        connections_;  // reeve-keeper's end of what WayOut::processes is the other of, until it has it
    std::string no_way_out_;
    std::optional<platform::Cgroup> cgroup_;
    std::vector<std::unique_ptr<Process>> processes_;
    std::function<void(const std::string&)> failed_;
    std::function<void()> ended_;
    platform::EventLoop::TimerId patience_ = 0;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false once this object is gone
};

}  // namespace reeve::session
