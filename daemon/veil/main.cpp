// reeve-veil: serves the person's other files to one session. Started by reeved, with the person's ids and no
// capability; the descriptors are those of daemon/access/setup.hpp.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdio>

#include "daemon/access/reporter.hpp"
#include "daemon/access/setup.hpp"
#include "daemon/veil/policy_judge.hpp"
#include "daemon/veil/table_file.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/veil/filter.hpp"
#include "platform/linux/veil/session.hpp"

namespace reeve::veil {
namespace {

using platform::Fd;
namespace served = platform::veil;

constexpr unsigned kWorkers = 4;  // a slow disk holds up only so many

// Nobody reads the memory of what holds descriptors on denied files, and nothing it might execute gains rights.
platform::Status protect() {
    if (::prctl(PR_SET_DUMPABLE, 0) != 0) return platform::os_error("forbid dumps of reeve-veil", "");
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return platform::os_error("set no_new_privs", "");
    return {};
}

// Open files of the session and descriptors of nodes are descriptors here.
std::size_t descriptors_for_nodes() {
    struct rlimit limit {};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 256;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return std::min<std::size_t>(4096, limit.rlim_cur / 4);
}

served::Options options_of(const access::Setup& setup, policy::Mode mode) {
    served::Options options{.layout = {}, .home = setup.home, .uid = setup.uid, .gid = setup.gid};
    for (const auto& place : setup.places) {
        if (place.kind == access::Place::Kind::veiled) options.layout.roots.push_back(place.path);
        options.layout.places.push_back(place.path);
    }
    if (mode == policy::Mode::enforce) options.layout.canaries = setup.canaries;
    options.layout.files = setup.files;
    options.descriptors = descriptors_for_nodes();
    return options;
}

// Until reeved or the kernel says that the session is over.
void wait_for_end(int control, int file_system) {
    pollfd waiting[] = {{.fd = control, .events = POLLIN, .revents = 0},
                        {.fd = file_system, .events = POLLIN, .revents = 0}};
    while (::poll(waiting, std::size(waiting), -1) < 0 && errno == EINTR) continue;
}

platform::Status run() {
    if (auto s = protect(); !s) return s;
    ::umask(0);  // the kernel has applied the caller's
    const auto bytes = platform::read_memfd(access::kSetupFd, true);
    if (!bytes) return std::unexpected(bytes.error());
    const auto setup = access::Setup::decode(*bytes);
    if (!setup) return std::unexpected(setup.error());
    const auto table = TableFile::open(access::kTableFd);
    if (!table) return std::unexpected(table.error());
    auto askers = Askers::create();
    if (!askers) return std::unexpected(askers.error());
    auto host = served::Host::open();
    if (!host) return std::unexpected(host.error());

    access::Reporter reporter{Fd(access::kControlFd)};
    PolicyJudge judge(table->table(), *askers, setup->keeper,
                      [&](const access::Report& report) { return reporter.add(report); });
    served::Veil veil(judge, std::move(*host), options_of(*setup, table->table().mode()));
    auto session = served::Session::create(Fd(access::kWorkFd), veil);
    if (!session) return std::unexpected(session.error());
    if (auto s = (*session)->start(kWorkers); !s) return s;
    if (auto s = served::enter_filter(); !s) return s;
    (*session)->serve();
    wait_for_end(reporter.control(), (*session)->ended());
    reporter.finish();
    (*session)->stop();
    return {};
}

}  // namespace
}  // namespace reeve::veil

int main() {
    const auto done = reeve::veil::run();
    if (!done) std::fprintf(stderr, "reeve-veil: %s\n", done.error().text().c_str());
    return done ? 0 : 1;
}
