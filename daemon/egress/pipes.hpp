// Pipes for splice(2), lent for as long as there is something in them: a connection that is idle holds none.
#pragma once

#include <cstddef>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::egress {

struct Pipe {
    platform::Fd out, in;  // read and write end, non-blocking
    explicit operator bool() const { return static_cast<bool>(in); }
};

class Pipes {
  public:
    // So many empty ones are kept for the next.
    explicit Pipes(std::size_t most_kept = 32) : most_kept_(most_kept) {}

    platform::Result<Pipe> borrow();
    // It must be empty; one with bytes in it is closed by whom has it.
    void give_back(Pipe pipe);

    std::size_t lent() const { return lent_; }
    std::size_t kept() const { return kept_.size(); }

  private:
    friend class Lent;
    const std::size_t most_kept_;
    std::size_t lent_ = 0;
    std::vector<Pipe> kept_;
};

// One that is borrowed while it is needed.
class Lent {
  public:
    explicit Lent(Pipes& pipes) : pipes_(pipes) {}
    ~Lent() { drop(); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

    platform::Status need();
    void give_back();  // when it is empty
    void drop();       // whatever is in it
    int out() const { return pipe_.out.get(); }
    int in() const { return pipe_.in.get(); }

  private:
    Pipes& pipes_;
    Pipe pipe_;
};

}  // namespace reeve::egress
