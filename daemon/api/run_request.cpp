#include "daemon/api/run_request.hpp"

#include <algorithm>

namespace reeve::api {

Json RunRequest::body() const {
    return Json{{"call", "run"},
                {"command", command},
                {"agent", agent},
                {"user", user},
                {"terminal", {terminal[0], terminal[1], terminal[2]}},
                {"rows", rows},
                {"columns", columns},
                {"pass_environment", pass_environment},
                {"report_steps", report_steps},
                {"workspace", static_cast<bool>(workspace)},
                {"policy", policy_name}};
}

std::vector<int> RunRequest::fds() const {
    std::vector<int> all;
    for (const platform::Fd* fd :
         {&environment, &working_directory, &workspace, &policy, &streams[0], &streams[1], &streams[2]})
        if (*fd) all.push_back(fd->get());
    return all;
}

namespace {

// Hands the descriptors out in their order; false where the body promised more or fewer than came.
bool distribute(RunRequest& request, std::vector<platform::Fd> fds, bool with_workspace) {
    std::vector<platform::Fd*> places{&request.environment, &request.working_directory};
    if (with_workspace) places.push_back(&request.workspace);
    if (!request.policy_name.empty()) places.push_back(&request.policy);
    for (int i = 0; i < 3; ++i)
        if (!request.terminal[i]) places.push_back(&request.streams[i]);
    if (places.size() != fds.size()) return false;
    for (std::size_t i = 0; i < fds.size(); ++i) *places[i] = std::move(fds[i]);
    return true;
}

bool read_terminal(const Json* value, bool (&terminal)[3]) {
    if (value == nullptr || !value->is_array() || value->size() != 3) return false;
    for (std::size_t i = 0; i < 3; ++i) {
        if (!(*value)[i].is_boolean()) return false;
        terminal[i] = (*value)[i].get<bool>();
    }
    return true;
}

}  // namespace

platform::Result<RunRequest> RunRequest::parse(Message message) {
    RunRequest request;
    Members members(message.body, "the call run");
    members.string("call");
    request.command = members.strings("command");
    request.agent = members.string("agent");
    request.user = members.string("user");
    const bool has_terminal = read_terminal(members.any("terminal"), request.terminal);
    request.rows = static_cast<unsigned short>(members.integer("rows", 24, 0, 65535));
    request.columns = static_cast<unsigned short>(members.integer("columns", 80, 0, 65535));
    request.pass_environment = members.strings("pass_environment");
    request.report_steps = members.boolean("report_steps");
    const bool with_workspace = members.boolean("workspace");
    request.policy_name = members.string("policy");
    if (auto s = members.finish(); !s) return std::unexpected(s.error());
    const auto refuse = [](const char* why) { return platform::error("read the call run", "", why); };
    if (!has_terminal) return refuse("\"terminal\" is not three of true and false");
    if (request.command.empty() || request.command[0].empty()) return refuse("there is no command");
    if (!distribute(request, std::move(message.fds), with_workspace))
        return refuse("the descriptors are not those that it names");
    return request;
}

}  // namespace reeve::api
