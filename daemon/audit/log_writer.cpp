// The writer's half of the log: the only thread that touches its files.
#include <pthread.h>

#include <algorithm>

#include "daemon/audit/line.hpp"
#include "daemon/audit/log_implementation.hpp"

namespace reeve::audit {
namespace {

using platform::Status;
using namespace std::chrono_literals;

// Once woken, the writer lets a batch gather: under load one write takes hundreds of records, and an
// appending thread pays for a wake-up at most once in that time.
constexpr auto kGather = 1ms;
constexpr std::size_t kGatherBytes = 256U << 10;
// Memory of a batch that is kept for the next one.
constexpr std::size_t kKeptBytes = 1U << 20;
// Between two attempts while the log is unwritable.
constexpr auto kFirstRetry = 250ms, kLastRetry = 10'000ms;

}  // namespace

void Log::Implementation::run() {
    ::pthread_setname_np(::pthread_self(), "audit-writer");
    std::unique_lock lock(mutex_);
    for (;;) {
        wait_for_work(lock);
        if (uncovered_since_ && Steady::now() >= *uncovered_since_ + options_.checkpoint_interval) {
            add_checkpoint("interval");
        }
        if (writing_.bytes.size() == writing_.done) {
            // The batch before this one is done: its memory is used again, unless it has grown out of the
            // ordinary.
            if (writing_.bytes.capacity() > kKeptBytes) writing_.bytes.release();
            Buffer spare = std::move(writing_.bytes);
            spare.clear();
            writing_ = std::move(pending_);
            writing_.last_seq = seq_;
            pending_ = Batch{.bytes = std::move(spare)};
        }
        if (flush_to_ > durable_bytes_) writing_.sync = true;
        writing_bytes_ = writing_.bytes.size();
        retry_now_ = false;
        const bool last_attempt = stop_;
        lock.unlock();
        const Status status = write_batch();
        lock.lock();
        batch_done(status, lock);
        if (last_attempt && (!status || pending_.bytes.size() == 0)) return;
        retain(lock);
    }
}

bool Log::Implementation::work_is_urgent() const {
    return stop_ || flush_to_ > durable_bytes_ || pending_.bytes.size() >= kGatherBytes;
}

// When the writer has something to do even if nothing more is appended. None while it is idle: it sleeps for
// good.
std::optional<Log::Implementation::Steady::time_point> Log::Implementation::deadline() const {
    if (outage_) return retry_at_;
    std::optional<Steady::time_point> at;
    if (unsynced_since_) at = *unsynced_since_ + options_.sync_interval;
    if (uncovered_since_) {
        const auto checkpoint_at = *uncovered_since_ + options_.checkpoint_interval;
        at = at ? std::min(*at, checkpoint_at) : checkpoint_at;
    }
    return at;
}

void Log::Implementation::wait_for_work(std::unique_lock<std::mutex>& lock) {
    for (;;) {
        if (stop_ || retry_now_) return;
        const auto at = deadline();
        if (at && Steady::now() >= *at) return;
        if (!outage_) {
            if (work_is_urgent()) return;
            if (pending_.bytes.size() > 0) {
                work_.wait_for(lock, kGather, [&] { return work_is_urgent(); });
                return;
            }
        }
        waiting_ = true;
        if (at) {
            work_.wait_until(lock, *at);
        } else {
            work_.wait(lock);
        }
        waiting_ = false;
    }
}

Status Log::Implementation::write_batch() {
    Batch& batch = writing_;
    const std::string_view bytes = batch.bytes.text();
    for (;;) {
        const bool cut = batch.next_cut < batch.cuts.size();
        const std::size_t until = cut ? batch.cuts[batch.next_cut].offset : bytes.size();
        const std::size_t before = batch.done;
        const Status written = segments_.write(bytes.substr(before, until - before), batch.done);
        written_bytes_ += batch.done - before;
        if (batch.done != before && !unsynced_since_) unsynced_since_ = Steady::now();
        if (!written) return written;
        if (!cut) break;
        const Batch::Cut& next = batch.cuts[batch.next_cut];
        if (const Status started = segments_.start(next.first_seq, next.realtime_ns); !started)
            return started;
        ++batch.next_cut;
        started_segment_ = true;
    }
    if (unsynced_since_ && (batch.sync || Steady::now() >= *unsynced_since_ + options_.sync_interval)) {
        return sync_batch();
    }
    return {};
}

Status Log::Implementation::sync_batch() {
    if (const Status synced = segments_.sync(); !synced) {
        // The kernel reports this once and may have dropped the pages: what was not durable before stays in
        // doubt.
        if (!unsure_from_) unsure_from_ = durable_seq_ + 1;
        return synced;
    }
    if (!writing_.checkpoint.empty()) {
        if (const Status stored = store_checkpoint(state_.get(), writing_.checkpoint); !stored) return stored;
        writing_.checkpoint.clear();
    }
    if (const Status removed = remove_segments(directory_.get(), writing_.removals); !removed) return removed;
    writing_.removals.clear();
    unsynced_since_.reset();
    return {};
}

void Log::Implementation::batch_done(const Status& status, std::unique_lock<std::mutex>& lock) {
    ++attempts_;
    statistics_.written_bytes = written_bytes_;
    writing_bytes_ = writing_.bytes.size() - writing_.done;
    if (status) {
        writing_.sync = false;
        if (!unsynced_since_) {
            durable_bytes_ = written_bytes_;
            durable_seq_ = writing_.last_seq;
        }
        outage_.reset();
        backoff_ = 0ms;
        recovered();
    } else {
        const bool news = !outage_;
        outage_ = status.error();
        backoff_ = std::clamp(2 * backoff_, kFirstRetry + 0ms, kLastRetry + 0ms);
        retry_at_ = Steady::now() + backoff_;
        if (news && unwritable_) {
            lock.unlock();
            unwritable_(status.error());
            lock.lock();
        }
    }
    done_.notify_all();
}

// The first record after an outage counts what was lost in it.
void Log::Implementation::recovered() {
    if (lost_.records > 0) {
        const std::string from = timestamp(lost_.from_ns), to = timestamp(lost_.to_ns);
        const Detail details[] = {{"lost", lost_.records}, {"from", from}, {"to", to}};
        add_gap(lost_.outage ? "log_unwritable" : "log_slow", details);
        lost_ = {};
    }
    if (unsure_from_ && !unsynced_since_) {
        const Detail details[] = {{"from_seq", *unsure_from_}, {"to_seq", seq_}};
        add_gap("sync_failed", details);
        unsure_from_.reset();
    }
}

Log::Implementation::Removed Log::Implementation::plan_retention() const {
    if (options_.max_size == 0 && options_.keep.count() == 0) return {};
    const auto segments = list_segments(directory_.get());
    if (!segments) return {};
    const std::int64_t now = clock_.realtime_ns();
    std::uint64_t size = 0;
    for (const Segment& segment : *segments) size += segment.size;

    Removed removed, planned;
    for (std::size_t i = 0; i + 1 < segments->size() && (*segments)[i].name != segments_.name(); ++i) {
        const Segment& segment = (*segments)[i];
        const bool too_much = options_.max_size != 0 && size > options_.max_size;
        const bool too_old = options_.keep.count() != 0 &&
                             now - segment.changed_ns > std::chrono::nanoseconds(options_.keep).count();
        // Nothing more is asked for, and what is planned may be cut there: enough.
        if (!too_much && !too_old && removed.names.size() == planned.names.size()) break;
        planned.names.push_back(segment.name);
        planned.bytes += segment.size;
        planned.through = (*segments)[i + 1].first_seq - 1;
        size -= segment.size;
        // Verification can begin only at a segment whose first record is signed.
        const auto next = open_segment(directory_.get(), (*segments)[i + 1].name);
        if (!next) break;
        LineReader lines(next->get());
        const auto line = lines.next();
        if (line && *line && checkpoint_of(**line)) removed = planned;
    }
    return removed;
}

void Log::Implementation::retain(std::unique_lock<std::mutex>& lock) {
    if (outage_ || !std::exchange(started_segment_, false)) return;
    lock.unlock();
    Removed removed = plan_retention();
    lock.lock();
    if (removed.names.empty() || !add_checkpoint("retention", &removed)) return;
    pending_.removals = std::move(removed.names);
}

}  // namespace reeve::audit
