// Bytes on their way from one descriptor to another, for a loop around poll(2).
//
// One side is the person's (a standard stream, whose open file description other processes share: it is never
// made non-blocking, and only as much is written as poll(2) has promised room for), the other the session's
// own pipe or terminal, which never blocks. What a reader does not take is not read: at most kFlowBytes wait
// in between. Not covered: the modes of a terminal (terminal.hpp).
#pragma once

#include <poll.h>

#include <cstddef>
#include <string>
#include <vector>

#include "daemon/api/message.hpp"

namespace reeve::client {

inline constexpr std::size_t kFlowBytes = 64 * 1024;

// One side of a flow.
class Side {
  public:
    static Side persons(int fd);                // stays open when the flow ends
    static Side sessions(platform::Fd pipe);    // made non-blocking; closed when the flow ends
    static Side sessions_terminal(int master);  // the same, but stays open: it serves both directions

    int get() const { return fd_; }
    bool blocks() const { return blocks_; }
    std::size_t promised() const { return promised_; }  // bytes that a write after POLLOUT can take
    void end();

  private:
    int fd_ = -1;
    bool blocks_ = false;
    std::size_t promised_ = kFlowBytes;
    platform::Fd owned_;
};

class Flow {
  public:
    // How an end of the data on a line-buffered terminal is said to the session's own: by its VEOF character.
    // The source then has not ended, and a line that was sent early (Ctrl-D behind text) is sent early there.
    enum class EndOfData { kCloses, kIsControlD };

    Flow(Side from, Side to, EndOfData end_of_data = EndOfData::kCloses)
        : from_(std::move(from)), to_(std::move(to)), end_of_data_(end_of_data) {}

    // Which events this flow waits for now. Adds none where it is done.
    void wait_for(std::vector<pollfd>& all);
    // Moves what can be moved, by the results of the last wait_for().
    void move(const std::vector<pollfd>& all);

    // Holds the source for now (a terminal that is somebody else's), or goes on.
    void hold(bool held) { held_ = held; }
    void set_end_of_data(EndOfData how) { end_of_data_ = how; }
    // Leaves out a carriage return before a line feed: the sink's terminal adds one of its own.
    void drop_returns(bool drop) { drop_returns_ = drop; }

    // The session's command has ended: what is there now is still taken, no more than `most` bytes, and then
    // the source has ended, even where something in the background holds its other end open and writes on.
    void finish(std::size_t most);
    void finish_with_what_is_there();  // of a pipe: FIONREAD says how much that is

    bool source_open() const { return source_open_; }
    bool done() const { return !source_open_ && waiting() == 0; }
    // errno of a write that failed for another reason than a reader that has gone; 0 for none.
    int write_error() const { return write_error_; }

  private:
    std::size_t waiting() const { return buffer_.size() - taken_; }
    void take_in();
    void drop_returns_from(std::size_t start);
    bool read_once();  // false: nothing more for now
    void put_out();
    void end_source();
    void give_up(int error);

    Side from_, to_;
    EndOfData end_of_data_;
    std::string buffer_;
    std::size_t taken_ = 0;  // bytes of the buffer's start that are written
    bool source_open_ = true, sink_open_ = true, held_ = false, finishing_ = false, drop_returns_ = false;
    std::size_t left_ = 0;  // bytes to read still, once it finishes
    int write_error_ = 0;
    // Places in the caller's list; -1 for none.
    int source_at_ = -1, sink_at_ = -1;
};

}  // namespace reeve::client
