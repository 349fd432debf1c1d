#include "daemon/audit/log.hpp"

#include <time.h>

#include <algorithm>

#include "daemon/audit/line.hpp"
#include "daemon/audit/log_implementation.hpp"
#include "daemon/audit/text.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;
using platform::Result;
using platform::Status;

constexpr std::size_t kTornKept = 4096;  // bytes of a torn line that its gap record holds

std::int64_t read_clock(clockid_t id) {
    timespec now{};
    ::clock_gettime(id, &now);
    return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

}  // namespace

Clock Clock::system() {
    return {.realtime_ns = [] { return read_clock(CLOCK_REALTIME); },
            .monotonic_ns = [] { return static_cast<std::uint64_t>(read_clock(CLOCK_MONOTONIC)); }};
}

Log::Implementation::Implementation(Fd directory, Fd lock, Fd state, LogOptions options, Sign sign,
                                    Unwritable unwritable, Clock clock)
    : directory_(std::move(directory)),
      lock_(std::move(lock)),
      state_(std::move(state)),
      options_(std::move(options)),
      sign_(std::move(sign)),
      unwritable_(std::move(unwritable)),
      clock_(std::move(clock)),
      encoder_(options_.boot_id, options_.self),
      segments_(directory_.get()) {}

Status Log::Implementation::start() {
    const auto tail = find_tail(directory_.get());
    if (!tail) return std::unexpected(tail.error());
    const auto stored = load_checkpoint(state_.get());
    if (!stored) return std::unexpected(stored.error());
    if (!tail->name.empty() && tail->damaged_line == 0) {
        if (const Status resumed = segments_.resume(tail->name, tail->end); !resumed) return resumed;
    }
    {
        const std::lock_guard guard(mutex_);
        recover(*tail, *stored);
    }
    writer_ = std::thread([this] { run(); });
    return flush();
}

void Log::Implementation::recover(const Tail& tail, const std::optional<std::string>& stored) {
    const auto claims = stored ? parse_checkpoint(untrusted_payload(*stored).value_or("")) : std::nullopt;
    const std::int64_t now = clock_.realtime_ns();
    const bool all_missing = tail.seq == 0 && claims && claims->seq > 0;
    seq_ = all_missing ? claims->seq : tail.seq;
    chain_.restart(all_missing ? claims->chain : tail.chain);
    last_checkpoint_ = tail.last_checkpoint;
    durable_seq_ = seq_;

    const bool fresh = tail.end == 0 || tail.damaged_line != 0;
    if (fresh) {
        // An unborn segment is there and empty in all but name; else the writer makes one.
        if (tail.name.empty() || tail.damaged_line != 0) {
            start_segment(now);
        } else {
            segment_started_ns_ = now;
            add_checkpoint("segment");
        }
    } else {
        segment_bytes_ = tail.end;
        segment_started_ns_ = tail.started_ns;
    }
    if (!tail.torn.empty()) {
        const std::string cut = base64(tail.torn.substr(0, kTornKept));
        const Detail details[] = {
            {"segment", tail.name}, {"bytes_cut", std::uint64_t{tail.torn.size()}}, {"cut_b64", cut}};
        add_gap("torn_line", details);
    }
    if (tail.damaged_line != 0) {
        const Detail details[] = {{"segment", tail.damaged_segment}, {"line", tail.damaged_line}};
        add_gap("damaged", details);
    }
    // A checkpoint is a record itself, the one after the record that it names, and was durable before it was
    // stored.
    if (claims && claims->seq >= tail.seq) {
        const Detail details[] = {
            {"missing_from", tail.seq + 1}, {"missing_to", claims->seq + 1}, {"checkpoint", *stored}};
        add_gap("tail_cut", details);
    }
    if (!claims && tail.seq != 0) add_gap("checkpoint_lost", {});
    if (!fresh) add_checkpoint("open");
}

Log::Implementation::~Implementation() {
    if (!writer_.joinable()) return;
    {
        const std::lock_guard guard(mutex_);
        add_checkpoint("close");
        stop_ = true;
    }
    work_.notify_one();
    writer_.join();
}

std::size_t Log::Implementation::append(std::span<const Record> records) {
    std::size_t taken = 0;
    const std::lock_guard guard(mutex_);
    for (const Record& record : records) {
        if (!has_room()) {
            lose(record);
            continue;
        }
        add(record);
        ++taken;
    }
    wake_writer();
    return taken;
}

std::size_t Log::Implementation::offer(std::span<const Record> records) {
    std::size_t taken = 0;
    const std::lock_guard guard(mutex_);
    if (outage_) return 0;
    for (; taken < records.size() && has_room(); ++taken) add(records[taken]);
    wake_writer();
    return taken;
}

void Log::Implementation::wake_writer() {
    if (!waiting_ || outage_) return;
    waiting_ = false;
    work_.notify_one();
}

void Log::Implementation::add(const Record& record) {
    Record stamped = record;
    if (stamped.realtime_ns == 0) stamped.realtime_ns = clock_.realtime_ns();
    if (stamped.monotonic_ns == 0) stamped.monotonic_ns = clock_.monotonic_ns();
    const std::int64_t age = stamped.realtime_ns - segment_started_ns_;
    if (segment_bytes_ >= options_.segment_size ||
        age >= std::chrono::nanoseconds(options_.segment_age).count()) {
        start_segment(stamped.realtime_ns);
    }
    add_line(stamped);
    if (uncovered_ >= options_.checkpoint_records) add_checkpoint("records");
}

void Log::Implementation::lose(const Record& record) {
    const std::int64_t now = record.realtime_ns != 0 ? record.realtime_ns : clock_.realtime_ns();
    if (lost_.records++ == 0) lost_.from_ns = now;
    lost_.to_ns = now;
    lost_.outage = lost_.outage || outage_.has_value();
    ++statistics_.lost;
}

void Log::Implementation::add_line(Record record) {
    Buffer& bytes = pending_.bytes;
    const std::size_t before = bytes.size();
    encoder_.encode(record, seq_ + 1, bytes);
    if (bytes.size() - before + kChainTail > kMaxLine) {
        bytes.cut(before);
        const Detail details[] = {
            {"reason", "record_too_long"}, {"action", word(record.action)}, {"lost", std::uint64_t{1}}};
        record = {.action = Action::kAuditGap,
                  .realtime_ns = record.realtime_ns,
                  .monotonic_ns = record.monotonic_ns,
                  .session = record.session,
                  .details = details};
        encoder_.encode(record, seq_ + 1, bytes);
    }
    const ChainValue& chain = chain_.add(bytes.text().substr(before));
    char* out = bytes.room(kChainTail + 1);
    out = std::ranges::copy(kChainMember, out).out;
    out = put_hex(chain, out);
    bytes.commit(std::ranges::copy(std::string_view("\"}\n"), out).out);
    ++seq_;
    ++uncovered_;
    if (!uncovered_since_) uncovered_since_ = Steady::now();
    ++statistics_.appended;
    segment_bytes_ += bytes.size() - before;
    taken_bytes_ += bytes.size() - before;
}

void Log::Implementation::add_gap(std::string_view reason, std::span<const Detail> details) {
    std::vector<Detail> all = {{"reason", reason}};
    all.insert(all.end(), details.begin(), details.end());
    add_line({.action = Action::kAuditGap,
              .realtime_ns = clock_.realtime_ns(),
              .monotonic_ns = clock_.monotonic_ns(),
              .resource_type = ResourceType::kLog,
              .details = all});
}

bool Log::Implementation::add_checkpoint(std::string_view reason, const Removed* removed) {
    const std::int64_t now = clock_.realtime_ns();
    const auto jws = sign_(checkpoint_payload(
        {.seq = seq_,
         .chain = chain_.value(),
         .time = now / 1'000'000'000,
         .previous_checkpoint = last_checkpoint_.empty() ? "" : checkpoint_hash(last_checkpoint_),
         .removed_through = removed != nullptr ? std::optional(removed->through) : std::nullopt}));
    const std::string unsigned_why = jws ? "" : jws.error().why;
    std::vector<Detail> details = {{"reason", reason}};
    if (jws) details.push_back({"jws", *jws});
    if (!jws) details.push_back({"unsigned", unsigned_why});
    if (jws && removed != nullptr) {
        details.push_back({"removed_through", removed->through});
        details.push_back({"removed_segments", std::uint64_t{removed->names.size()}});
        details.push_back({"removed_bytes", removed->bytes});
    }
    add_line({.action = Action::kAuditCheckpoint,
              .realtime_ns = now,
              .monotonic_ns = clock_.monotonic_ns(),
              .resource_type = ResourceType::kLog,
              .details = details});
    pending_.sync = true;
    uncovered_ = 0;
    uncovered_since_.reset();
    if (jws) pending_.checkpoint = last_checkpoint_ = *jws;
    return jws.has_value();
}

void Log::Implementation::start_segment(std::int64_t realtime_ns) {
    pending_.cuts.push_back(
        {.offset = pending_.bytes.size(), .first_seq = seq_ + 1, .realtime_ns = realtime_ns});
    segment_bytes_ = 0;
    segment_started_ns_ = realtime_ns;
    add_checkpoint("segment");
}

Status Log::Implementation::flush() {
    std::unique_lock lock(mutex_);
    const std::uint64_t ticket = taken_bytes_;
    flush_to_ = std::max(flush_to_, ticket);
    // While the log is unwritable this asks for one attempt, whose outcome is the answer.
    const bool was_out = outage_.has_value();
    const std::uint64_t attempt = attempts_;
    retry_now_ = was_out;
    work_.notify_one();
    done_.wait(lock,
               [&] { return durable_bytes_ >= ticket || (outage_ && (!was_out || attempts_ > attempt)); });
    if (durable_bytes_ >= ticket) return {};
    return std::unexpected(*outage_);
}

Status Log::Implementation::checkpoint() {
    {
        const std::lock_guard guard(mutex_);
        add_checkpoint("demand");
    }
    return flush();
}

Position Log::Implementation::position() const {
    const std::lock_guard guard(mutex_);
    return {.seq = seq_, .chain = hex(chain_.value())};
}

LogStatistics Log::Implementation::statistics() const {
    const std::lock_guard guard(mutex_);
    LogStatistics statistics = statistics_;
    statistics.writable = !outage_;
    return statistics;
}

Result<std::unique_ptr<Log>> Log::open(Fd directory, Fd state, LogOptions options, Sign sign,
                                       Unwritable unwritable, Clock clock) {
    auto lock = lock_writer(directory.get());
    if (!lock) return std::unexpected(lock.error());
    auto implementation = std::make_unique<Implementation>(
        std::move(directory), std::move(*lock), std::move(state), std::move(options), std::move(sign),
        std::move(unwritable), std::move(clock));
    if (const Status started = implementation->start(); !started) return std::unexpected(started.error());
    return std::unique_ptr<Log>(new Log(std::move(implementation)));
}

Log::Log(std::unique_ptr<Implementation> implementation) : implementation_(std::move(implementation)) {}
Log::~Log() = default;
std::size_t Log::append(std::span<const Record> records) {
    return implementation_->append(records);
}
std::size_t Log::offer(std::span<const Record> records) {
    return implementation_->offer(records);
}
Status Log::flush() {
    return implementation_->flush();
}
Status Log::checkpoint() {
    return implementation_->checkpoint();
}
Position Log::position() const {
    return implementation_->position();
}
LogStatistics Log::statistics() const {
    return implementation_->statistics();
}

}  // namespace reeve::audit
