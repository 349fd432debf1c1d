#include "daemon/session/people.hpp"

#include <pthread.h>

#include <utility>

namespace reeve::session {

using platform::Result;

namespace {

Result<Person> person_from(const Result<Account>& account) {
    if (!account) return std::unexpected(account.error());
    return person_of(*account);
}

}  // namespace

People::People(platform::EventLoop& loop, NameService names, std::function<Clock::time_point()> now)
    : loop_(loop),
      names_(std::move(names)),
      now_(std::move(now)),
      self_(std::make_shared<People*>(this)),
      thread_([this] { run(); }) {}

People::~People() {
    *self_ = nullptr;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    wake_.notify_one();
    thread_.join();
}

void People::find(const Who& who, Answer answer) {
    const auto now = now_();
    std::erase_if(known_, [&](const auto& entry) { return entry.second.until <= now; });
    if (const auto found = known_.find(who); found != known_.end())
        return answer(person_of(found->second.account));
    auto& waiting = waiting_[who];
    waiting.push_back(std::move(answer));
    if (waiting.size() > 1) return;
    {
        const std::lock_guard lock(mutex_);
        questions_.push_back(who);
    }
    wake_.notify_one();
}

void People::run() {
    ::pthread_setname_np(::pthread_self(), "reeve-people");
    std::unique_lock lock(mutex_);
    while (true) {
        wake_.wait(lock, [this] { return stop_ || !questions_.empty(); });
        if (stop_) return;
        const Who who = std::move(questions_.front());
        questions_.pop_front();
        lock.unlock();
        // Not `this`: it may be gone when the loop comes to it.
        loop_.post([self = self_, who, account = names_(who)] {
            if (*self != nullptr) (*self)->take(who, account);
        });
        lock.lock();
    }
}

void People::take(const Who& who, Result<Account> account) {
    if (account) known_.insert_or_assign(who, Known{*account, now_() + kKept});
    const auto waiting = waiting_.extract(who);
    if (waiting.empty()) return;
    for (Answer& answer : waiting.mapped()) answer(person_from(account));
}

}  // namespace reeve::session
