#include "daemon/api/client_fds.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "daemon/api/run_request.hpp"
#include "platform/linux/memfd.hpp"

namespace reeve::api {

using platform::Fd;
using platform::Result;

Result<Fd> pack_environment(const char* const* variables) {
    std::string bytes;
    for (; *variables != nullptr; ++variables) bytes.append(*variables).push_back('\0');
    if (bytes.size() > kMaxEnvironment)
        return platform::error(
            "hand over the environment", "",
            "it has " + std::to_string(bytes.size()) + " bytes, more than " + std::to_string(kMaxEnvironment),
            "start it with less: env -i NAME=VALUE reeve run ...");
    return platform::sealed_memfd("reeve-environment", bytes);
}

Result<Fd> pack_policy(const std::string& path) {
    auto text = read_text(path, kMaxPolicy);
    if (!text) return std::unexpected(text.error());
    return platform::sealed_memfd("reeve-policy", *text);
}

Result<Fd> open_folder(const std::string& path) {
    Fd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) return platform::os_error("open the folder", path);
    return folder;
}

Result<std::string> read_text(const std::string& path, std::size_t most) {
    Fd opened;
    int from = STDIN_FILENO;
    if (path != "-") {
        opened.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
        if (!opened) return platform::os_error("read", path);
        from = opened.get();
    }
    std::string text;
    char piece[16384];
    for (;;) {
        const ssize_t got = ::read(from, piece, sizeof piece);
        if (got == 0) return text;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return platform::os_error("read", path);
        text.append(piece, static_cast<std::size_t>(got));
        if (text.size() > most)
            return platform::error("read", path, "it is longer than " + std::to_string(most) + " bytes");
    }
}

Result<PipeEnds> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return platform::os_error("make a pipe", "");
    return PipeEnds{Fd(ends[0]), Fd(ends[1])};
}

}  // namespace reeve::api
