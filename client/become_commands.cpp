#include "client/become_commands.hpp"

#include <limits.h>
#include <unistd.h>

#include "client/command.hpp"

namespace reeve::client {

int become_commands(char** arguments) {
    constexpr const char* kProgram = "reeve-commands";
    char own[PATH_MAX];
    const ssize_t length = ::readlink("/proc/self/exe", own, sizeof own);
    if (length <= 0 || static_cast<std::size_t>(length) == sizeof own)
        return complain(platform::os_error("find the folder of this program", "").error(), kNo);
    std::string folder(own, static_cast<std::size_t>(length));
    folder.resize(folder.rfind('/') + 1);
    ::execv((folder + kProgram).c_str(), arguments);
    const std::string installed = folder + REEVE_LIBEXEC_FROM_BIN + "/reeve/" + kProgram;
    ::execv(installed.c_str(), arguments);
    return complain(platform::os_error("start", installed, errno, "install the package anew").error(), kNo);
}

}  // namespace reeve::client
