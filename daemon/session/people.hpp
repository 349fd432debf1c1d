// Who people are: asks the name service in a thread of its own, since it may wait for LDAP and the event loop must not.
//
// What it said is kept for kKept, so that one launch after another asks once; groups that somebody lost can go into a
// session until then, as they stay with everything that runs already. Refusals are not kept, and the home is looked at
// each time. All calls, and the answers, are for the event loop's thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/session/person.hpp"
#include "platform/linux/event_loop.hpp"

namespace reeve::session {

class People {
  public:
    static constexpr std::chrono::seconds kKept{5};
    using Clock = std::chrono::steady_clock;
    using NameService = std::function<platform::Result<Account>(const Who&)>;
    using Answer = std::move_only_function<void(platform::Result<Person>)>;

    // `loop` outlives it. `names` is called in the thread.
    explicit People(platform::EventLoop& loop, NameService names = find_account,
                    std::function<Clock::time_point()> now = Clock::now);
    ~People();  // waits for a question that is under way; who is not answered by then never is
    People(const People&) = delete;
    People& operator=(const People&) = delete;

    // Answers at once where it is known. Questions of the same person that come meanwhile are one.
    void find(const Who& who, Answer answer);

  private:
    struct Known {
        Account account;
        Clock::time_point until;
    };
    void run();
    void take(const Who& who, platform::Result<Account> account);

    platform::EventLoop& loop_;
    NameService names_;
    std::function<Clock::time_point()> now_;
    std::map<Who, Known> known_;
    std::map<Who, std::vector<Answer>> waiting_;
    std::shared_ptr<People*> self_;  // what is posted finds it empty once this is gone

    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Who> questions_;
    bool stop_ = false;
    std::thread thread_;  // last: it uses all of the above
};

}  // namespace reeve::session
