#include "platform/linux/notify/beside.hpp"

namespace reeve::platform::notify {

Beside::Beside(pid_t tid) : tid_(tid) {
    const int cpu = ::sched_getcpu();
    if (cpu < 0 || cpu >= CPU_SETSIZE || ::sched_getaffinity(tid_, sizeof before_, &before_) != 0) return;
    if (!CPU_ISSET(cpu, &before_) || CPU_COUNT(&before_) < 2) return;
    CPU_ZERO(&here_);
    CPU_SET(cpu, &here_);
    bound_ = ::sched_setaffinity(tid_, sizeof here_, &here_) == 0;
}

Beside::~Beside() {
    cpu_set_t now;
    if (!bound_ || ::sched_getaffinity(tid_, sizeof now, &now) != 0) return;
    if (CPU_EQUAL(&now, &here_)) ::sched_setaffinity(tid_, sizeof before_, &before_);
}

}  // namespace reeve::platform::notify
