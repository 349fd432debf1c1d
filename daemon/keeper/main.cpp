// reeve-keeper: the composition root. Started once a session, with the descriptors that daemon/access/setup.hpp names
// and the person's ids; ends when reeved's end of the control socket closes, and with it every call of the session
// that changes files is ENOSYS.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include "daemon/keeper/dispatch.hpp"
#include "daemon/keeper/seal.hpp"
#include "daemon/keeper/watchdog.hpp"
#include "daemon/keeper/workers.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/seqpacket.hpp"

namespace reeve::keeper {
namespace {

using platform::Fd;
using platform::Result;
using platform::Status;

// All that the files of a session may need: the callers' descriptors are small in number, but many may wait.
void raise_limits() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

// The table stays mapped, and is as constant as the sealed memory that it is in.
Result<policy::Table> map_table(int memfd) {
    struct stat status {};
    const int seals = ::fcntl(memfd, F_GET_SEALS);
    constexpr int kNeeded = F_SEAL_WRITE | F_SEAL_SHRINK;
    if (seals < 0 || (seals & kNeeded) != kNeeded || ::fstat(memfd, &status) != 0)
        return platform::error("read the rules", "", "they are not in sealed memory");
    const auto size = static_cast<std::size_t>(status.st_size);
    void* bytes = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, memfd, 0);
    if (bytes == MAP_FAILED) return platform::os_error("map the rules", "");
    auto table = policy::Table::open({static_cast<const std::byte*>(bytes), size});
    if (!table) return platform::error("read the rules", "", table.error());
    return *table;
}

// Nothing where there is none. Before anything is opened, which could get its number.
Fd take_connections() {
    struct stat status {};
    if (::fstat(access::kConnectionsFd, &status) != 0) return {};
    Fd given(access::kConnectionsFd);
    return S_ISSOCK(status.st_mode) ? std::move(given) : Fd();
}

struct Session {
    Fd root, listener;
};

// One packet from reeve-confine, before the command runs.
Result<Session> take_session(Fd work) {
    auto packet = platform::receive_packet(work.get());
    if (!packet) return std::unexpected(packet.error());
    if (packet->end || packet->fds.size() != 2)
        return platform::error("take over the session", "", "its start-up ended before it was ready");
    return Session{std::move(packet->fds[0]), std::move(packet->fds[1])};
}

Status run() {
    if (auto s = close_to_others(); !s) return s;
    raise_limits();
    ::umask(0);
    const Fd setup_fd(access::kSetupFd), table_fd(access::kTableFd);
    Fd control(access::kControlFd);
    const Fd connections = take_connections();
    auto bytes = platform::read_memfd(setup_fd.get(), true);
    if (!bytes) return std::unexpected(bytes.error());
    auto setup = access::Setup::decode(*bytes);
    if (!setup) return std::unexpected(setup.error());
    auto table = map_table(table_fd.get());
    if (!table) return std::unexpected(table.error());
    auto session = take_session(Fd(access::kWorkFd));
    if (!session) return std::unexpected(session.error());
    auto listener = platform::notify::Listener::take(std::move(session->listener));
    if (!listener) return std::unexpected(listener.error());
    Tree tree(std::move(session->root));
    for (const access::Place& place : setup->places) tree.learn(place.path);
    tree.learn("/");

    access::Reporter reporter(std::move(control));
    auto watchdog = Watchdog::create(reporter.control(), *listener);
    if (!watchdog) return std::unexpected(watchdog.error());
    if (auto s = allow_only_what_is_needed(); !s) return s;
    {
        Workers workers(
            *listener, [&] { (*watchdog)->wake(); }, [&] { (*watchdog)->stop(); });
        Engine engine{*setup, *table, *listener, tree, reporter, workers, connections.get()};
        const unsigned count = std::clamp(std::thread::hardware_concurrency(), 2u, 4u);
        workers.start(count, [&](const platform::notify::Call& call) { work_on(engine, call); });
        (*watchdog)->run(workers);
    }
    // All that was done is told; calls that still wait get ENOSYS by the end of this process.
    ::_exit(reporter.finish() ? 0 : 1);
}

}  // namespace
}  // namespace reeve::keeper

int main() {
    if (auto s = reeve::keeper::run(); !s)
        std::fprintf(stderr, "reeve-keeper: %s\n", s.error().text().c_str());
    return 1;
}
