// What `reeve run` does while the command runs: bytes both ways, signals, job control, and the end
// (daemon/api/run_request.hpp says what travels).
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/flow.hpp"
#include "client/signals.hpp"
#include "client/terminal.hpp"
#include "daemon/api/run_request.hpp"

namespace reeve::client {

class RunLoop {
  public:
    // `terminal`: which standard streams are the person's terminal; for each other one, `pipes` has our end
    // of the session's pipe. `report`: steps are printed.
    RunLoop(platform::Fd socket, const std::array<bool, 3>& terminal, std::array<platform::Fd, 3> pipes,
            bool report);
    RunLoop(const RunLoop&) = delete;
    RunLoop& operator=(const RunLoop&) = delete;

    platform::Status ask(const api::RunRequest& request);
    int run();  // until the end; gives the exit code

  private:
    enum class Stage { kAsked, kRunning, kFinishing, kDrained };

    void tend_terminal();
    int timeout() const;
    void move_bytes(const std::vector<pollfd>& all);
    void on_messages();
    void on_event(const api::Json& event, std::vector<platform::Fd> fds);
    void on_started(const api::Json& event, std::vector<platform::Fd> fds);
    void on_stopped(int signal);
    void on_finished(int status);
    void on_signals();
    void pass_on(int signal);
    void go_on();
    void say(const api::Json& message);
    void lose(const platform::Error* why);
    void end(int exit_code) { exit_code_ = exit_code; }
    std::vector<Flow*> flows();

    Signals signals_;
    platform::Fd socket_;
    std::array<bool, 3> is_terminal_;
    bool report_;
    std::optional<Terminal> terminal_;
    platform::Fd master_, screen_fd_;
    std::optional<Flow> input_, output_, errors_;  // pipes
    std::optional<Flow> keys_, screen_;            // the terminal
    Stage stage_ = Stage::kAsked;
    bool answered_ = false;  // the daemon has no more to say
    bool stopped_ = false, somebody_elses_ = false;
    std::vector<int> early_;  // signals from before the daemon said that it runs
    int status_ = 0;
    int last_signal_ = 0;
    std::chrono::steady_clock::time_point last_signal_at_{};
    std::optional<int> exit_code_;
};

// Of a status as waitpid(2) gives it: the code, or 128 + the signal.
int exit_code_of(int status);

}  // namespace reeve::client
