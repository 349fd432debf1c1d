// The descriptors that the client hands over with the call "run" (run_request.hpp), made from what it was
// started with. The daemon checks each again: it believes nothing of a client.
#pragma once

#include <string>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::api {

// A sealed memfd with each "NAME=value" and a NUL behind it, as RunRequest::environment. `variables` ends
// with a null pointer. An Error where it is longer than kMaxEnvironment.
platform::Result<platform::Fd> pack_environment(const char* const* variables);

// A sealed memfd with the text of a policy file, at most kMaxPolicy bytes.
platform::Result<platform::Fd> pack_policy(const std::string& path);

// O_PATH, so that a folder that its owner cannot read will do.
platform::Result<platform::Fd> open_folder(const std::string& path);

// All of a regular file or pipe; an Error beyond `most` bytes. "-" is standard input.
platform::Result<std::string> read_text(const std::string& path, std::size_t most);

// Both ends are close-on-exec.
struct PipeEnds {
    platform::Fd reader, writer;
};
platform::Result<PipeEnds> make_pipe();

}  // namespace reeve::api
