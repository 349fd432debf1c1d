// The thread that reads what the kernel, keeper and veil tell of all sessions, and makes audit records of it.
//
// It sleeps until something happens (no timer, no polling at rest); when something has, it reads, and then
// rests a few milliseconds, so that the next read brings many events at once. It never waits for a disk: when
// the log takes no more, events stay in the kernel's queue, and reports in their sockets, whose senders wait. Not
// covered: marks (platform/watch.hpp, reeve-confine sets them).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "daemon/audit/late_closer.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/pipeline.hpp"
#include "platform/fd.hpp"
#include "platform/linux/seqpacket.hpp"
#include "platform/result.hpp"
#include "platform/watch.hpp"

namespace reeve::audit {

// The log as a sink: what it does not take waits here and in the kernel, so that nothing is counted as lost.
class LogSink final : public Sink {
  public:
    explicit LogSink(Log& log) : log_(log) {}
    std::size_t append(std::span<const Record> records) override;
    std::uint64_t last_seq() const override;

  private:
    Log& log_;
};

struct WatchSetup {
    std::string session;                            // id
    std::shared_ptr<const SessionContext> context;  // what its records say
    platform::Fd by_handle, by_descriptor;          // groups; either may be empty
    std::vector<platform::watch::Place> places;  // the zones; private directories follow as they are mounted
    std::uint64_t pid_namespace = 0;  // inode number, 0 where it is not known yet: any process will do
};

// One who reports what it decided on (daemon/access/report.hpp, or daemon/egress/report.hpp).
struct ReportSource {
    std::string name;  // as errors and gaps call it: "reeve-keeper"
    platform::Fd
        control;    // reeved's end of its control socket; whoever holds another copy must not read from it
    pid_t pid = 0;  // its thread group: what the kernel tells of it is not the session's doing
    bool network = false;  // reeve-egress
};

// Told on the watcher's thread, once for a source: it sent what is no report, or ended before it had told all (which
// is a gap in the log by then). The session must end. Must not call the watcher.
using Broken = std::function<void(const std::string& session, const platform::Error&)>;

struct WatcherOptions {
    PipelineOptions pipeline;
    std::chrono::milliseconds rest{5};  // after a read
    Broken broken = {};
};

// All calls are for any thread but the watcher's own (a Sink must not call back), and wait for it.
class Watcher {
  public:
    // `sink` outlives the watcher.
    static platform::Result<std::unique_ptr<Watcher>> start(Sink& sink, WatcherOptions options = {});
    // Hands on what waits, as far as the sink takes it.
    ~Watcher();
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    platform::Status add(WatchSetup setup);
    platform::Status add_place(const std::string& session, platform::watch::Place place);
    // Reports of one more source are records of the session from now on. At the session's end, shut down the sending
    // side of `control` (which asks for the last ones), wait until the source has ended, and call remove().
    platform::Status add_reports(const std::string& session, ReportSource source);
    // The session's last denials with a greater number, oldest first.
    platform::Result<std::vector<Denial>> denials(const std::string& session, std::uint64_t after);
    // From now on its records say this (posture or model changed).
    platform::Status update(const std::string& session, std::shared_ptr<const SessionContext> context);
    // Takes all that the kernel has for the session and hands it on: what happened before the call is in the
    // log when it returns, so that the record of the session's end can follow. Fails where the sink takes no
    // more; what waits is then handed on later.
    platform::Result<Counts> drain(const std::string& session);
    // The same, and all is closed: a gap record says what could not be read to its end. The
    // ends of the session's processes are in the log too; for that they must have ended.
    platform::Result<Counts> remove(const std::string& session);
    // Of one session that is watched, or of all since the start.
    platform::Result<Counts> counts(const std::string& session);
    Counts total();

  private:
    struct Watched;
    // What is waited for.
    struct Source {
        virtual ~Source() = default;
        virtual bool read(Watcher& watcher) = 0;
        Watched* owner = nullptr;
        std::size_t queue = 0;  // of the session's
        bool dead = false;      // it is read no more: it has told all, or a gap record says what became of it
    };
    struct Group : Source {
        explicit Group(platform::watch::Reader events) : reader(std::move(events)) {}
        bool read(Watcher& watcher) override { return watcher.read_some(*this); }
        platform::watch::Reader reader;
    };
    struct Channel : Source {
        bool read(Watcher& watcher) override { return watcher.read_some(*this); }
        std::string name;
        platform::Fd control;
        bool network = false;
    };
    struct Watched {
        std::string id;
        std::shared_ptr<WatchedSession> session;
        std::vector<std::unique_ptr<Group>> groups;
        std::vector<std::unique_ptr<Channel>> channels;
    };

    Watcher(Sink& sink, WatcherOptions options);
    void run();
    void perform(std::function<void()> command);
    void wake();
    int timeout_ms();
    void wait(int timeout_ms, std::vector<Source*>& ready);
    bool make_room();
    bool read_some(Group& group);
    bool read_some(Channel& channel);
    bool read_groups(Watched& watched);
    bool take(Channel& channel, const platform::Packet& packet);
    platform::Status take_reports(Channel& channel, std::string_view bytes);
    void lose(Channel& channel, const std::string& what);
    void settle_ends(const std::vector<Source*>& ready);
    platform::Status await(int fd, Source& source);
    void stop_waiting(int fd, Source& source);
    platform::Status join(platform::Fd& group, platform::watch::Reports reports, Watched& watched);
    void leave(Watched& watched);
    bool read_all(Watched& watched);
    platform::Status hand_on(Watched& watched);
    void settle();
    Watched* find(const std::string& session);

    WatcherOptions options_;
    Pipeline pipeline_;
    LateCloser closer_;
    platform::Fd set_, wake_;
    std::map<std::string, std::unique_ptr<Watched>> sessions_;
    std::vector<std::shared_ptr<WatchedSession>>
        removed_;          // no longer watched, but some of it may still wait
    Counts settled_;       // of those of which nothing does
    bool full_ = false;    // the sink took less than it was given
    bool behind_ = false;  // a queue was left before it was empty

    std::mutex mutex_;
    std::vector<std::function<void()>> commands_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace reeve::audit
