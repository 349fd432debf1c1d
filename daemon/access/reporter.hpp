// How keeper and veil tell reeved of what they decided: equal accesses of a short while are one report with a count,
// several reports a packet, on a thread of their own.
//
// What cannot be recorded does not happen: add() comes before the answer to the caller, it waits while reeved takes
// nothing, and it says false once reeved is gone. It does not cover the end of a process that is killed: what had
// not been sent is lost then, and reeved, which sees the socket end without kNoMore, writes a gap record.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "daemon/access/report.hpp"
#include "platform/fd.hpp"

namespace reeve::access {

struct ReporterOptions {
    // For how long a report waits for its repeats. The watch goes on counting them for longer, and joins what the
    // kernel says with what is reported: a report has to be there before that is written down (100 ms).
    std::chrono::milliseconds window{25};
    std::size_t packets = 8;  // that may wait to be sent, 64 KiB each; at least 2
};

class Reporter {
  public:
    // `control` is the SOCK_SEQPACKET to reeved, in blocking mode; this sends on it and never reads. Where there are
    // no descriptors or threads to be had, reeved counts as gone.
    explicit Reporter(platform::Fd control, ReporterOptions options = {});
    // finish(), and joins the thread.
    ~Reporter();
    Reporter(const Reporter&) = delete;
    Reporter& operator=(const Reporter&) = delete;

    // Any thread. True: it will be sent, in the order of the first of equal ones, and the sum of the counts sent is
    // the sum of those taken. Waits while all packets are full. False: reeved or finish() has ended the session;
    // the access must fail, and the program must exit. A time of 0 is read from the clock.
    bool add(const Report& report);

    // No more is taken; waits until all that was is sent, and kNoMore behind it. False: reeved was gone before. To be called when reeved
    // has shut down its sending side of `control` (it reads empty), which asks for the last reports.
    bool finish();

    // For poll(): readable, or hung up, when the session is over.
    int control() const { return control_.get(); }

  private:
    struct Batch;

    bool take(Batch& batch, std::uint64_t hash, const Report& report, bool& first);
    void run();
    int timeout_ms() const;
    void sleep(int timeout_ms);
    void send(std::string_view packet);
    void wake();

    platform::Fd control_, wake_;
    const ReporterOptions options_;

    // Batches [sent_, filling_) are closed and the thread's own; filling_ takes reports. A batch's place is its
    // number modulo the size.
    std::mutex mutex_;
    std::condition_variable room_;  // a batch was sent, or all is over
    std::vector<std::unique_ptr<Batch>> batches_;
    std::uint64_t sent_ = 0, filling_ = 0;
    bool finishing_ = false;
    bool ended_ = false;  // reeved is gone
    bool over_ = false;   // the thread has left its loop

    std::thread thread_;
};

}  // namespace reeve::access
