#include "daemon/reeved/device.hpp"

#include <fstream>

#include "daemon/session/hash.hpp"

namespace reeve::daemon {
namespace {

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace

std::string device_id() {
    const std::string id = first_line("/etc/machine-id");
    if (id.empty()) return {};
    const auto hash = session::text_hash("reeve-device-v1:" + id);
    return hash ? hash->substr(0, 32) : std::string();
}

std::string boot_id() {
    return first_line("/proc/sys/kernel/random/boot_id");
}

}  // namespace reeve::daemon
