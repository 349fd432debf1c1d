// Every program that may ever be executed for posture. Nothing else can be run, and nothing can be added to a
// line.
#include "platform/posture.hpp"

namespace reeve::platform::posture {

std::span<const Program> programs() {
    static const Program kPrograms[] = {
        {.id = "apt-simulate",
         // Reads only what is world-readable; there is no lock to take and no network to reach.
         .argv = {"/usr/bin/apt-get", "--simulate", "-q", "-oDebug::NoLocking=true",
                  "-oAPT::Get::Show-User-Simulation-Note=false", "dist-upgrade"},
         .why = "which updates wait depends on pins and dependencies that only apt knows",
         .limit_ms = 30'000,
         .max_output = 2 * 1024 * 1024},
    };
    return kPrograms;
}

}  // namespace reeve::platform::posture
