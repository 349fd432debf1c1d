// One direction of a connection that was let through: bytes go from one socket to the other, and so does their end.
//
// Both sockets are non-blocking, and whoever owns them calls step() when either has news (edge-triggered epoll is
// enough) until it says that it waits. No more is taken from the source than the sink has room for, but for what fits into one pipe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "daemon/egress/first_bytes.hpp"
#include "daemon/egress/pipes.hpp"
#include "daemon/egress/upload.hpp"

namespace reeve::egress {

enum class Step : std::uint8_t {
    moved,     // again
    waits,     // for the source or the sink
    ended,     // the source's end has been passed on
    broken,    // one of the sockets failed: code()
    budget,    // the source has more than may leave
    mismatch,  // a request is not for the host: why()
};

class Flow {
  public:
    virtual ~Flow() = default;
    virtual Step step() = 0;
    std::uint64_t bytes() const { return bytes_; }
    int code() const { return code_; }
    const std::string& why() const { return why_; }

  protected:
    Flow(int from, int to, Upload* upload) : from_(from), to_(to), upload_(upload) {}
    // How much may be taken from the source, at most `most`.
    std::size_t may_take(std::size_t most) const;
    void took(std::size_t bytes);
    Step over_budget();  // budget, if the source has anything more
    Step failed();       // by errno
    Step pass_on_end();
    // As much of bytes[sent, end) as there is room for. Adds to sent.
    Step send(const std::string& bytes, std::size_t& sent, std::size_t end);

    const int from_, to_;
    Upload* const upload_;  // null: it may be any number
    std::uint64_t bytes_ = 0;
    int code_ = 0;
    std::string why_;
};

// Through a pipe, without a copy.
class SplicedFlow final : public Flow {
  public:
    // `first` goes before what comes from the socket; it is counted here.
    SplicedFlow(int from, int to, Pipes& pipes, Upload* upload, std::string first = {});
    Step step() override;

  private:
    Step send_first();
    Step fill();
    Step drain();

    Lent pipe_;
    std::size_t in_pipe_ = 0;
    std::string first_;
    std::size_t first_sent_ = 0;
};

// The requests of an HTTP/1.1 client, each looked at before it goes on.
class RequestFlow final : public Flow {
  public:
    // `first` has been fed to `requests`, which has released so much of it.
    RequestFlow(int from, int to, Upload& upload, std::string first, std::unique_ptr<Requests> requests,
                std::uint64_t released);
    Step step() override;

  private:
    Step read_more();

    std::unique_ptr<Requests> requests_;
    std::string held_;            // read and not sent
    std::uint64_t before_ = 0;    // how many bytes of the connection are before held_
    std::uint64_t released_ = 0;  // from the beginning of the connection
};

}  // namespace reeve::egress
