#include "platform/result.hpp"

#include <system_error>

namespace reeve::platform {

std::string Error::text() const {
    std::string line = "cannot " + tried;
    if (!on.empty()) line += " " + on;
    line += ": " + why;
    if (!todo.empty()) line += "; " + todo;
    return line;
}

std::unexpected<Error> os_error(std::string tried, std::string on, int code, std::string todo) {
    // generic_category() and not strerror(): the latter is not thread-safe.
    return std::unexpected(Error{.tried = std::move(tried),
                                 .on = std::move(on),
                                 .why = std::generic_category().message(code),
                                 .todo = std::move(todo),
                                 .code = code});
}

std::unexpected<Error> error(std::string tried, std::string on, std::string why, std::string todo) {
    return std::unexpected(Error{.tried = std::move(tried),
                                 .on = std::move(on),
                                 .why = std::move(why),
                                 .todo = std::move(todo),
                                 .code = 0});
}

}  // namespace reeve::platform
