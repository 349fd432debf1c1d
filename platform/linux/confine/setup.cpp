// The holes of the tests' reeve-confine-holes that are more than a step left out.
#include "platform/linux/confine/setup.hpp"

#ifdef REEVE_TEST_HOLES
#include <fcntl.h>
#include <sched.h>

#include <algorithm>

namespace reeve::platform::confine {

bool left_out(const Plan& plan, std::string_view name) {
    return std::find(plan.without.begin(), plan.without.end(), name) != plan.without.end();
}

// The test says by "host_pid:N" whose namespaces they are.
Status stay_in_host_namespaces(Setup& setup) {
    constexpr std::string_view kPid = "host_pid:";
    std::string directory;
    for (const std::string& name : setup.plan.without)
        if (name.starts_with(kPid)) directory = "/proc/" + name.substr(kPid.size()) + "/ns/";
    constexpr std::pair<const char*, int> kNamespaces[] = {{"net", CLONE_NEWNET}, {"ipc", CLONE_NEWIPC}};
    for (const auto& [name, type] : kNamespaces) {
        if (!left_out(setup.plan, std::string(name) + "_namespace")) continue;
        const Fd host(::open((directory + name).c_str(), O_RDONLY | O_CLOEXEC));
        if (!host || ::setns(host.get(), type) != 0) return os_error("stay in the host's namespace", name);
    }
    return {};
}

Result<Fd> host_proc() {
    const Fd proc(::open("/proc", O_PATH | O_CLOEXEC));
    if (!proc) return os_error("open", "/proc");
    return clone_mount(proc.get());
}

}  // namespace reeve::platform::confine
#endif
