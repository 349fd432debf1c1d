// Connections that have not yet said what has to be held against their name: each has a deadline, and all together a
// bound on what is kept of them. The oldest goes first.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <string>

#include "platform/linux/event_loop.hpp"

namespace reeve::egress {

class Unspoken {
  public:
    // The reason in words. It is not in the list any more when this is called.
    using GiveUp = std::function<void(const char* why)>;
    struct Limits {
        std::chrono::milliseconds deadline{30'000};
        std::size_t bytes = 64 * 1024 * 1024;
    };
    struct Entry {
        std::chrono::steady_clock::time_point due;
        std::size_t bytes = 0;
        GiveUp give_up;
    };
    using Id = std::list<Entry>::iterator;

    Unspoken(platform::EventLoop& loop, Limits limits) : loop_(loop), limits_(limits) {}
    ~Unspoken();
    Unspoken(const Unspoken&) = delete;
    Unspoken& operator=(const Unspoken&) = delete;

    Id add(GiveUp give_up);
    // So many bytes more are kept for it. May give up the oldest, which may be this one.
    void keep(Id id, std::size_t bytes);
    void remove(Id id);
    // False: there is none.
    bool drop_oldest(const char* why);
    std::size_t size() const { return entries_.size(); }

  private:
    void alarm();
    void ring();

    platform::EventLoop& loop_;
    const Limits limits_;
    std::list<Entry> entries_;  // oldest first
    std::size_t bytes_ = 0;
    platform::EventLoop::TimerId timer_ = 0;
};

}  // namespace reeve::egress
