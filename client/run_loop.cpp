#include "client/run_loop.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "client/command.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {

using api::Json;

namespace {

// More than the kernel holds of a terminal's output: 64 KiB in its flip buffers and 4 KiB in line discipline.
constexpr std::size_t kTerminalBytes = 128 * 1024;
// A terminal does not tell when it becomes ours (`fg` without a signal), so that it is looked at again.
constexpr int kLookAgain = 500;                           // milliseconds
constexpr auto kAgain = std::chrono::milliseconds(2000);  // INT or TERM twice within this ends it

// Where what the session writes to its terminal is shown. Empty where one of the standard streams will do.
platform::Fd open_screen(const std::array<bool, 3>& terminal, int& fd) {
    for (const int stream : {1, 2})
        if (terminal[static_cast<std::size_t>(stream)]) {
            fd = stream;
            return {};
        }
    fd = STDIN_FILENO;
    if ((::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR) return {};
    platform::Fd opened(::open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY));
    if (opened) fd = opened.get();
    return opened;
}

int number_of(const Json& event, const char* name) {
    const auto found = event.find(name);
    return found != event.end() && found->is_number_integer() ? found->get<int>() : 0;
}

}  // namespace

int exit_code_of(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

RunLoop::RunLoop(platform::Fd socket, const std::array<bool, 3>& terminal, std::array<platform::Fd, 3> pipes,
                 bool report)
    : socket_(std::move(socket)),
      is_terminal_(terminal),
      report_(report),
      terminal_(Terminal::of_streams(terminal)) {
    if (!terminal[0]) input_.emplace(Side::persons(0), Side::sessions(std::move(pipes[0])));
    if (!terminal[1]) output_.emplace(Side::sessions(std::move(pipes[1])), Side::persons(1));
    if (!terminal[2]) errors_.emplace(Side::sessions(std::move(pipes[2])), Side::persons(2));
}

std::vector<Flow*> RunLoop::flows() {
    std::vector<Flow*> all;
    for (auto* flow : {&input_, &output_, &errors_, &keys_, &screen_})
        if (*flow) all.push_back(&**flow);
    return all;
}

platform::Status RunLoop::ask(const api::RunRequest& request) {
    return api::send_message(socket_.get(), request.body(), request.fds());
}

int RunLoop::run() {
    while (!exit_code_) {
        std::vector<pollfd> all{{.fd = answered_ ? -1 : socket_.get(), .events = POLLIN, .revents = 0},
                                {.fd = signals_.get(), .events = POLLIN, .revents = 0}};
        tend_terminal();
        for (Flow* flow : flows()) flow->wait_for(all);
        if (::poll(all.data(), all.size(), timeout()) < 0 && errno != EINTR) {
            return complain(platform::os_error("wait for the session", "").error(), kNotStarted);
        }
        // Somebody may have taken it while we slept: looked at again before its keys are read.
        tend_terminal();
        move_bytes(all);
        if (all[1].revents != 0) on_signals();
        if (!exit_code_ && all[0].revents != 0) on_messages();
        if (stage_ == Stage::kFinishing &&
            std::ranges::all_of(flows(), [](const Flow* flow) { return flow->done(); })) {
            stage_ = Stage::kDrained;
            if (answered_)
                end(exit_code_of(status_));
            else
                say({{"call", "drained"}});
        }
    }
    for (const Flow* flow : flows())
        if (flow->write_error() != 0)
            return complain(
                platform::os_error("write what the command printed", "", flow->write_error()).error(),
                *exit_code_ == 0 ? kNo : *exit_code_);
    return *exit_code_;
}

void RunLoop::move_bytes(const std::vector<pollfd>& all) {
    for (Flow* flow : flows()) flow->move(all);
}

// Raw while the keys are the session's, as they were else; and whether the keys are read at all.
void RunLoop::tend_terminal() {
    if (!keys_ || stage_ != Stage::kRunning) return;
    const bool ours = terminal_->foreground();
    const bool wants_keys = terminal_->whole() || !reads_lines(master_.get());
    if (terminal_->is_raw() && !wants_keys) terminal_->restore();
    if (ours && wants_keys) terminal_->make_raw();
    // The others of a pipeline read lines from it only if standard input is not it.
    const bool lines = !terminal_->whole() && is_terminal_[0];
    somebody_elses_ = !ours || (lines && !terminal_->is_raw() && !terminal_->in_line_mode());
    keys_->hold(somebody_elses_ || (!terminal_->is_raw() && !lines));
    screen_->drop_returns(!terminal_->whole() && !terminal_->is_raw());
    keys_->set_end_of_data(terminal_->is_raw() ? Flow::EndOfData::kCloses : Flow::EndOfData::kIsControlD);
}

int RunLoop::timeout() const {
    return keys_ && somebody_elses_ && stage_ == Stage::kRunning ? kLookAgain : -1;
}

void RunLoop::on_messages() {
    while (!exit_code_) {
        auto message = api::receive_message(socket_.get(), MSG_DONTWAIT);
        if (!message && (message.error().code == EAGAIN || message.error().code == EWOULDBLOCK)) return;
        if (!message) return lose(&message.error());
        if (!*message) return lose(nullptr);
        const Json& body = (*message)->body;
        if (body.contains("error")) {
            if (terminal_) terminal_->restore();
            return end(complain(api::failure_of(body), kNotStarted));
        }
        if (body.contains("done")) {
            // A session without a terminal ends by itself, whatever of its output still waits here.
            answered_ = stage_ == Stage::kFinishing;
            if (!answered_) end(exit_code_of(status_));
            return;
        }
        on_event(body, std::move((*message)->fds));
    }
}

void RunLoop::on_event(const Json& event, std::vector<platform::Fd> fds) {
    const std::string name = text_of(event, "event");
    if (name == "step" && report_) {
        const auto found = event.find("nanoseconds");
        const double ns = found != event.end() && found->is_number() ? found->get<double>() : 0;
        char line[160];
        std::snprintf(line, sizeof line, "reeve: %-40s %10.1f us\n",
                      api::terminal_safe(text_of(event, "step")).c_str(), ns / 1000);
        std::cerr << line;
    } else if (name == "started") {
        on_started(event, std::move(fds));
    } else if (name == "stopped") {
        on_stopped(number_of(event, "signal"));
    } else if (name == "finished") {
        on_finished(number_of(event, "status"));
    }
}

void RunLoop::on_started(const Json& event, std::vector<platform::Fd> fds) {
    if (report_)
        std::cerr << api::terminal_safe("reeve: session " + text_of(event, "session") + ", agent " +
                                        text_of(event, "agent") + ", policy " + text_of(event, "policy"))
                  << '\n';
    // For the person, not for a program that reads what the command says.
    if (const std::string note = text_of(event, "note"); !note.empty() && (report_ || is_terminal_[2]))
        std::cerr << api::terminal_safe("reeve: " + note) << '\n';
    stage_ = Stage::kRunning;
    for (const int signal : std::exchange(early_, {})) say({{"call", "signal"}, {"signal", signal}});
    if (fds.empty() || !terminal_) return;
    master_ = std::move(fds[0]);
    int screen = -1;
    screen_fd_ = open_screen(is_terminal_, screen);
    // As it is now: it may have been resized since it was asked for.
    const winsize size = terminal_->size();
    if (size.ws_row != 0) (void)::ioctl(master_.get(), TIOCSWINSZ, &size);
    if (!terminal_->whole()) switch_echo_off(master_.get());
    keys_.emplace(Side::persons(terminal_->get()), Side::sessions_terminal(master_.get()));
    screen_.emplace(Side::sessions_terminal(master_.get()), Side::persons(screen));
    screen_->drop_returns(!terminal_->whole());
}

// What Ctrl-Z does to a command without Reeve: it, and with it those of its pipeline, stop, and the shell has
// its terminal back.
void RunLoop::on_stopped(int signal) {
    if (stage_ != Stage::kRunning) return;
    const bool raw = terminal_ && terminal_->is_raw();
    if (terminal_) terminal_->restore();
    stopped_ = true;
    // In line mode the terminal has sent the signal to all of the pipeline itself.
    if (!signals_.stop_by(signal == 0 ? SIGTSTP : signal, raw && signal != SIGSTOP)) go_on();
}

void RunLoop::go_on() {
    if (!std::exchange(stopped_, false)) return;
    if (terminal_ && master_) {
        const winsize size = terminal_->size();
        if (size.ws_row != 0) (void)::ioctl(master_.get(), TIOCSWINSZ, &size);
    }
    say({{"call", "signal"}, {"signal", SIGCONT}});
}

void RunLoop::on_finished(int status) {
    status_ = status;
    stage_ = Stage::kFinishing;
    input_.reset();
    keys_.reset();
    if (output_) output_->finish_with_what_is_there();
    if (errors_) errors_->finish_with_what_is_there();
    if (screen_) screen_->finish(kTerminalBytes);
}

void RunLoop::on_signals() {
    while (const auto signal = signals_.next()) {
        if (exit_code_) return;
        switch (*signal) {
            case SIGWINCH:
                if (terminal_ && master_) {
                    const winsize size = terminal_->size();
                    (void)::ioctl(master_.get(), TIOCSWINSZ, &size);
                }
                break;
            case SIGCONT:
                go_on();
                break;
            case SIGTSTP:
                if (stage_ == Stage::kRunning || stage_ == Stage::kAsked)
                    pass_on(SIGTSTP);
                else
                    (void)signals_.stop_by(SIGTSTP, false);
                break;
            default:
                pass_on(*signal);
        }
    }
}

void RunLoop::pass_on(int signal) {
    const auto now = std::chrono::steady_clock::now();
    const bool insists =
        (signal == SIGINT || signal == SIGTERM) && last_signal_ == signal && now - last_signal_at_ < kAgain;
    last_signal_ = signal;
    last_signal_at_ = now;
    // Afterwards only we are left. The end of the connection ends the session.
    if (stage_ == Stage::kFinishing || stage_ == Stage::kDrained || insists) return end(128 + signal);
    // The command may run, and even have said something, before the daemon has told so.
    if (stage_ == Stage::kAsked)
        early_.push_back(signal);
    else
        say({{"call", "signal"}, {"signal", signal}});
}

void RunLoop::say(const Json& message) {
    // A daemon that is gone is noticed where its messages are read.
    (void)api::send_message(socket_.get(), message);
}

void RunLoop::lose(const platform::Error* why) {
    if (terminal_) terminal_->restore();
    if (stage_ == Stage::kDrained) return end(exit_code_of(status_));
    platform::Error error{.tried = stage_ == Stage::kAsked ? "start the session" : "go on with the session",
                          .on = "",
                          .why = why != nullptr ? why->text() : "the daemon is gone, and with it the session",
                          .todo = "see its log: journalctl -u reeved"};
    end(complain(error, kNotStarted));
}

}  // namespace reeve::client
