// The person's terminal while a session uses it: raw, so that every key reaches the session's own terminal,
// and put back on every way out (signals that end the process included; SIGKILL is beyond reach).
//
// A terminal is shared with the other programs of a pipeline. Where the session has only some of the standard
// streams, it therefore stays as it is until the session's own terminal leaves line mode (Follow): in
// `reeve run git log | less` the keys are less's. Not covered: echo switched off by a command in line mode
// (`read -s`) while a stream is a pipe: there the person's terminal goes on echoing.
#pragma once

#include <sys/ioctl.h>
#include <termios.h>

#include <array>
#include <optional>

namespace reeve::client {

class Terminal {
  public:
    // The first of the standard streams that is a terminal; nothing where none is.
    static std::optional<Terminal> of_streams(const std::array<bool, 3>& terminal);
    // Only for tests: any terminal, and whether all of it is the session's.
    Terminal(int fd, bool whole) : fd_(fd), whole_(whole) {}
    Terminal(Terminal&&) noexcept;
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;
    ~Terminal() { restore(); }

    int get() const { return fd_; }
    // Standard input and output are both the terminal: nobody else of a pipeline reads it.
    bool whole() const { return whole_; }
    bool is_raw() const { return raw_; }
    // Whether this process may change and read it: it is of the foreground, or job control is not ours.
    bool foreground() const;
    // Reads whole lines, edited by the person: nobody (of the pipeline) has taken it for keys.
    bool in_line_mode() const;
    winsize size() const;

    void make_raw();  // does nothing in the background
    void restore();

  private:
    int fd_;
    bool whole_, raw_ = false;
    termios before_{};
};

// Whether the session's terminal (its master side) is read by lines now.
bool reads_lines(int master);
// The person's terminal echoes already.
void switch_echo_off(int master);

}  // namespace reeve::client
