// reeve: starts sessions itself, and becomes reeve-commands for everything else.
//
// A session's start is what people and scripts wait for. So this program is linked statically and has nothing of
// signatures in it: the dynamic linker with libcrypto took as long as all that the daemon does for a launch.
#include "client/app.hpp"
#include "client/become_commands.hpp"

int main(int argc, char** argv) {
    using namespace reeve::client;
    constexpr Family kRun[] = {add_run};
    if (argc > 1 && std::string_view(argv[1]) == "run") return run_program(argc, argv, kRun);
    return become_commands(argv);
}
