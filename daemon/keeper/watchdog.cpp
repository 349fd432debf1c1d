#include "daemon/keeper/watchdog.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "platform/linux/seqpacket.hpp"

namespace reeve::keeper {
namespace {

using namespace std::chrono_literals;

constexpr char kPing = 'p';
constexpr int kLookAtWaits = 50;  // ms between looks at callers of calls that wait: only while there are any
constexpr auto kLongestDelay =
    500ms;  // within which a call that waits must be taken for a ping to be answered

}  // namespace

platform::Result<std::unique_ptr<Watchdog>> Watchdog::create(int control,
                                                             const platform::notify::Listener& listener) {
    platform::Fd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!event) return platform::os_error("make an event", "");
    return std::unique_ptr<Watchdog>(new Watchdog(control, listener, std::move(event)));
}

void Watchdog::wake() {
    const std::uint64_t one = 1;
    (void)!::write(event_.get(), &one, sizeof one);
}

void Watchdog::stop() {
    stop_ = true;
    wake();
}

void Watchdog::run(Workers& workers) {
    while (!stop_) {
        pollfd entries[] = {{control_, POLLIN, 0}, {event_.get(), POLLIN, 0}};
        ::poll(entries, 2, workers.any_waits() ? kLookAtWaits : -1);
        std::uint64_t count;
        if (entries[1].revents != 0) (void)!::read(event_.get(), &count, sizeof count);
        if (entries[0].revents != 0 && !take_packet(workers)) return;
        workers.check_waits();
    }
}

// False at the end.
bool Watchdog::take_packet(const Workers& workers) {
    auto packet = platform::receive_packet(control_, MSG_DONTWAIT);
    if (!packet) return packet.error().code == EAGAIN || packet.error().code == EINTR;
    if (packet->end) return false;
    if (packet->bytes.size() == 1 && packet->bytes[0] == kPing && calls_are_taken(workers))
        return platform::send_packet(control_, packet->bytes).has_value();
    return true;
}

bool Watchdog::calls_are_taken(const Workers& workers) const {
    const std::uint64_t before = workers.taken();
    const auto end = std::chrono::steady_clock::now() + kLongestDelay;
    while (listener_.waits() && workers.taken() == before) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

}  // namespace reeve::keeper
