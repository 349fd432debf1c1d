#include "daemon/session/session.hpp"

#include <signal.h>
#include <sys/epoll.h>

#include <utility>

namespace reeve::session {

namespace confine = platform::confine;
using platform::Status;

namespace {
// The cgroup is empty soon after its last process was killed; the kernel tells nobody of the moment who is not polling
// cgroup.events, and a version 1 group has none.
constexpr std::chrono::milliseconds kAgain{1}, kLongest{4096};  // each wait twice the one before
// How long companions may take to say the rest of what they have to report.
constexpr std::chrono::milliseconds kPatience{5000};
}  // namespace

Session::Session(Parts parts, Listener listener) : parts_(std::move(parts)), listener_(std::move(listener)) {}

Session::~Session() {
    if (link_open_) parts_.loop.forget(parts_.child.link.fd());
    if (!process_gone_) parts_.loop.forget(parts_.child.pidfd.get());
    if (patience_ != 0) parts_.loop.cancel(patience_);
}

Status Session::watch() {
    if (auto s = parts_.loop.watch(parts_.child.link.fd(), EPOLLIN, [this](std::uint32_t) { read_link(); });
        !s)
        return s;
    if (auto s = parts_.companions->watch([this](const std::string& reason) { companion_failed(reason); });
        !s)
        return s;
    return parts_.loop.watch(parts_.child.pidfd.get(), EPOLLIN, [this](std::uint32_t) { process_gone(); });
}

void Session::read_link() {
    while (link_open_) {
        auto message = parts_.child.link.receive();
        if (!message) return end(message.error().text());
        if (!*message || !take(std::move(**message))) return;
    }
}

// False: nothing more is to be read.
bool Session::take(confine::Message message) {
    if (auto* step = std::get_if<confine::StepDone>(&message)) {
        listener_.step(*step);
    } else if (auto* failed = std::get_if<confine::StepFailed>(&message)) {
        end_.failure = "step " + failed->step + ": " + failed->error.text();
        listener_.failed(failed->step, failed->error);
        end(end_.failure);
        return false;
    } else if (auto* mounted = std::get_if<confine::Mounted>(&message)) {
        if (auto s = parts_.recorder.mounted(parts_.facts.session, std::move(*mounted)); !s) {
            end(s.error().text());
            return false;
        }
    } else if (auto* started = std::get_if<confine::Started>(&message)) {
        state_ = State::kRunning;
        started_ = true;
        listener_.started(std::move(started->terminal));
    } else if (auto* stopped = std::get_if<confine::Stopped>(&message)) {
        if (state_ == State::kRunning) state_ = State::kStopped;
        listener_.stopped(stopped->signal);
    } else if (auto* exited = std::get_if<confine::Exited>(&message)) {
        end_.status = exited->status;
        if (state_ != State::kEnding) state_ = State::kFinished;
        listener_.finished(exited->status);
    } else {  // Closed
        parts_.loop.forget(parts_.child.link.fd());
        link_open_ = false;
        end(state_ == State::kFinished ? "" : "its first process is gone");
        return false;
    }
    return true;
}

Status Session::signal(int signal) {
    if (state_ == State::kStopped && signal == SIGCONT) state_ = State::kRunning;
    return parts_.child.link.send_signal(signal);
}

void Session::release() {
    if (state_ == State::kFinished) end("");
}

void Session::end(const std::string& reason) {
    if (state_ == State::kEnding) return;
    state_ = State::kEnding;
    if (end_.failure.empty()) end_.failure = reason;
    if (auto s = parts_.cgroup.kill(); !s) {
        // The pid namespace goes with its first process, whatever the cgroup says.
        if (link_open_) (void)parts_.child.link.send_end();
        end_.failure += (end_.failure.empty() ? "" : "; ") + s.error().text();
    }
    patience_ = parts_.loop.after(kPatience, [this] { parts_.companions->kill(); });
    finish_when_gone();
}

void Session::process_gone() {
    parts_.loop.forget(parts_.child.pidfd.get());
    process_gone_ = true;
    // What it said last is still in the link.
    if (link_open_ && state_ != State::kEnding) read_link();
    if (state_ != State::kEnding && state_ != State::kFinished) return end("its first process is gone");
    finish_when_gone();
}

void Session::finish_when_gone() {
    if (state_ != State::kEnding || !process_gone_ || finishing_) return;
    finishing_ = true;
    finish(kAgain);
}

void Session::finish(std::chrono::milliseconds again) {
    const Status removed = parts_.cgroup.remove(0);
    if (!removed && removed.error().code == EBUSY && again <= kLongest) {
        parts_.loop.after(again, [this, again] { finish(2 * again); });
        return;
    }
    if (!removed) end_.failure += (end_.failure.empty() ? "" : "; ") + removed.error().text();
    parts_.loop.cancel(std::exchange(patience_, 0));
    parts_.companions->finish(kPatience, [this] { conclude(); });
}

void Session::companion_failed(const std::string& reason) {
    if (link_open_ && state_ != State::kEnding) read_link();
    if (state_ == State::kFinished || state_ == State::kEnding) return;
    parts_.companions->kill();  // before the session, whose processes may wait for one that does not answer
    end(reason);
}

void Session::conclude() {
    end_.started = started_;
    parts_.recorder.end(parts_.facts, end_);
    const Listener listener = std::exchange(listener_, {});
    parts_.loop.post(parts_.gone);  // not now: who called this is still at work
    listener.ended(end_);
}

}  // namespace reeve::session
