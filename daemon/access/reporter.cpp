#include "daemon/access/reporter.hpp"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <functional>
#include <system_error>

#include "platform/linux/seqpacket.hpp"

namespace reeve::access {
namespace {

// More than the reports that a packet can hold (64 bytes each without a text), in a power of two.
constexpr std::size_t kSlots = 2048;
// An agent that makes paths whose hashes collide gets more records, and no slower keeper.
constexpr std::size_t kMostProbes = 8;

std::uint64_t monotonic_ns() {
    timespec time;
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x9e37'79b9'7f4a'7c15;
    return hash ^ hash >> 32;
}

// Of what mostly tells two accesses apart; Packet::repeat() compares all.
std::uint64_t hash_of(const Report& report) {
    std::uint64_t hash = std::hash<std::string_view>{}(report.path);
    if (!report.target.empty()) hash = mix(hash, std::hash<std::string_view>{}(report.target));
    hash = mix(hash, static_cast<std::uint32_t>(report.pid) |
                         static_cast<std::uint64_t>(static_cast<std::uint32_t>(report.error)) << 32);
    return mix(hash, static_cast<std::uint64_t>(report.action) | report.operation.size() << 8);
}

}  // namespace

// One packet, and where in it equal reports are looked for.
struct Reporter::Batch {
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t after = 0;  // 1 + where the report begins; 0: free
    };
    Packet packet;
    std::array<Slot, kSlots> slots{};
    std::uint64_t opened_ns = 0;  // when the first report came

    void clear() {
        packet.clear();
        slots.fill({});
    }
};

Reporter::Reporter(platform::Fd control, ReporterOptions options)
    : control_(std::move(control)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), options_(options) {
    for (std::size_t i = 0; i < std::max<std::size_t>(options_.packets, 2); ++i)
        batches_.push_back(std::make_unique<Batch>());
    ended_ = over_ = !wake_;
    if (ended_) return;
    // Signals are for the program's own threads.
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        thread_ = std::thread(&Reporter::run, this);
        ::pthread_setname_np(thread_.native_handle(), "reports");
    } catch (const std::system_error&) {
        ended_ = over_ = true;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Reporter::~Reporter() {
    finish();
    if (thread_.joinable()) thread_.join();
}

bool Reporter::add(const Report& report) {
    const std::uint64_t hash = hash_of(report);
    bool first = false, closed = false;
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (ended_ || finishing_) return false;
            if (take(*batches_[filling_ % batches_.size()], hash, report, first)) break;
            // It is full. The next one may still wait to be sent.
            if (filling_ + 1 - sent_ < batches_.size()) {
                ++filling_;
                closed = true;
            } else {
                room_.wait(lock);
            }
        }
    }
    if (first || closed) wake();
    return true;
}

bool Reporter::take(Batch& batch, std::uint64_t hash, const Report& report, bool& first) {
    const auto tag = static_cast<std::uint32_t>(hash >> 32);
    Batch::Slot* free = nullptr;
    for (std::size_t probe = 0; probe < kMostProbes && free == nullptr; ++probe) {
        Batch::Slot& slot = batch.slots[(hash + probe) % kSlots];
        if (slot.after == 0)
            free = &slot;
        else if (slot.hash == tag && batch.packet.repeat(slot.after - 1, report))
            return true;
    }
    const std::size_t at = batch.packet.bytes().size();
    Report stamped = report;
    const bool opens = batch.packet.empty();
    if (opens || report.monotonic_ns == 0) {
        const std::uint64_t now = monotonic_ns();
        if (opens) batch.opened_ns = now;
        if (report.monotonic_ns == 0) stamped.monotonic_ns = now;
    }
    if (!batch.packet.append(stamped)) return false;
    if (free != nullptr) *free = {tag, static_cast<std::uint32_t>(at + 1)};
    first = opens;
    return true;
}

bool Reporter::finish() {
    std::unique_lock lock(mutex_);
    finishing_ = true;
    room_.notify_all();
    wake();
    room_.wait(lock, [this] { return over_; });
    return !ended_;
}

void Reporter::wake() {
    // Fails only where the counter is full, and then it is awake.
    (void)::eventfd_write(wake_.get(), 1);
}

// --- in the thread ---

void Reporter::run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
        if (sent_ == filling_ && timeout_ms() == 0)
            ++filling_;  // due: closed, so that the others fill the next
        if (sent_ < filling_) {
            Batch& batch = *batches_[sent_ % batches_.size()];
            lock.unlock();
            send(batch.packet.bytes());
            batch.clear();
            lock.lock();
            ++sent_;
            room_.notify_all();
        } else if (finishing_) {
            lock.unlock();
            send(kNoMore);
            lock.lock();
            break;
        } else {
            const int timeout = timeout_ms();
            lock.unlock();
            sleep(timeout);
            lock.lock();
        }
    }
    over_ = true;
    room_.notify_all();
}

// Until the batch that is being filled is to be sent; -1: there is nothing in it.
int Reporter::timeout_ms() const {
    const Batch& batch = *batches_[filling_ % batches_.size()];
    if (batch.packet.empty()) return -1;
    const std::uint64_t due =
        batch.opened_ns + static_cast<std::uint64_t>(std::chrono::nanoseconds(options_.window).count());
    const std::uint64_t now = monotonic_ns();
    return finishing_ || due <= now ? 0 : static_cast<int>((due - now) / 1'000'000 + 1);
}

void Reporter::sleep(int timeout_ms) {
    // Of the control socket only its hanging up is asked for, which poll() always tells.
    std::array<pollfd, 2> waits{{{wake_.get(), POLLIN, 0}, {control_.get(), 0, 0}}};
    if (::poll(waits.data(), waits.size(), timeout_ms) < 0) return;
    if (waits[1].revents != 0) {
        const std::scoped_lock lock(mutex_);
        ended_ = true;
    }
    eventfd_t woken;
    (void)::eventfd_read(wake_.get(), &woken);
}

void Reporter::send(std::string_view packet) {
    if (platform::send_packet(control_.get(), packet)) return;
    const std::scoped_lock lock(mutex_);
    ended_ = true;
}

}  // namespace reeve::access
