#include "client/command.hpp"

#include <cstdio>
#include <iostream>
#include <sstream>

#include "daemon/api/render_record.hpp"

namespace reeve::client {

int complain(const platform::Error& error, int exit_code) {
    std::istringstream lines("reeve: " + error.text());
    for (std::string line; std::getline(lines, line);) std::cerr << api::terminal_safe(line) << '\n';
    return exit_code;
}

int complain(const api::CallError& error) {
    return complain(error.error, error.lost ? kNoDaemon : kNo);
}

std::expected<api::Json, api::CallError> ask(const api::Json& request, const api::OnEvent& on_event) {
    auto socket = api::connect_daemon(api::socket_path());
    if (!socket) return std::unexpected(api::CallError{socket.error(), true});
    return api::call(socket->get(), request, on_event);
}

std::string text_of(const api::Json& object, const char* name) {
    const auto found = object.is_object() ? object.find(name) : object.end();
    if (found == object.end()) return "";
    if (found->is_string()) return found->get<std::string>();
    return found->is_number() ? found->dump() : "";
}

const api::Json& list_of(const api::Json& object, const char* name) {
    static const api::Json none = api::Json::array();
    const auto found = object.is_object() ? object.find(name) : object.end();
    return found != object.end() && found->is_array() ? *found : none;
}

void print_json(const api::Json& object) {
    std::cout << object.dump(-1, ' ', false, api::Json::error_handler_t::replace) << '\n';
}

int finish_output(int exit_code) {
    std::cout.flush();
    if (std::cout.good()) return exit_code;
    std::cerr << "reeve: cannot write standard output; see whether the disk that it goes to is full\n";
    return kNo;
}

}  // namespace reeve::client
