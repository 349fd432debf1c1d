// What a call that can fail returns, everywhere in platform/ and daemon/.
//
// Not for programming errors: what no caller can act on is a bug and ends the process.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <utility>

namespace reeve::platform {

// One failure, in the four parts that an operator needs. Each part is a phrase without a final stop.
struct Error {
    std::string tried;  // what was being done: "mount the private /tmp"
    std::string on;     // on which object: a path, a pid, an address; may be empty
    std::string why;    // why it failed: strerror text or a reason of ours
    std::string todo;   // what to do about it; may be empty where nothing can be done
    int code = 0;       // errno where a system call failed, else 0

    // "cannot <tried> <on>: <why>; <todo>", the one-line form for stderr and the log.
    std::string text() const;
};

template <class T>
using Result = std::expected<T, Error>;
using Status = Result<void>;

// An Error from the errno of the system call that just failed.
std::unexpected<Error> os_error(std::string tried, std::string on, int code = errno, std::string todo = {});

// An Error whose reason is ours and not the kernel's.
std::unexpected<Error> error(std::string tried, std::string on, std::string why, std::string todo = {});

}  // namespace reeve::platform
