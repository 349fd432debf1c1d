// reeve run: hands the command, this process's streams, environment and folder to the daemon.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "client/command.hpp"
#include "client/run_loop.hpp"
#include "daemon/api/client_fds.hpp"
#include "daemon/api/run_request.hpp"

namespace reeve::client {
namespace {

using platform::Fd;
using platform::Status;

struct RunOptions {
    std::string agent, workspace, policy, user;
    std::vector<std::string> environment;
    bool report = false;
};

// A standard stream that is closed would lend its number to the next descriptor that is opened.
Status fill_standard_streams() {
    for (int fd = 0; fd <= 2; ++fd) {
        if (::fcntl(fd, F_GETFD) >= 0) continue;
        Fd null(::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY));
        if (!null) return platform::os_error("open", "/dev/null");
        if (null.get() == fd) (void)null.release();  // it stays open as the stream
    }
    return {};
}

Status add_streams(api::RunRequest& request, std::array<Fd, 3>& ours) {
    for (std::size_t i = 0; i < 3; ++i) {
        request.terminal[i] = ::isatty(static_cast<int>(i)) == 1;
        if (request.terminal[i]) continue;
        auto pipe = api::make_pipe();
        if (!pipe) return std::unexpected(pipe.error());
        request.streams[i] = i == 0 ? std::move(pipe->reader) : std::move(pipe->writer);
        ours[i] = i == 0 ? std::move(pipe->writer) : std::move(pipe->reader);
    }
    const std::array<bool, 3> terminal{request.terminal[0], request.terminal[1], request.terminal[2]};
    if (const auto found = Terminal::of_streams(terminal)) {
        const winsize size = found->size();
        if (size.ws_row != 0 && size.ws_col != 0) {
            request.rows = size.ws_row;
            request.columns = size.ws_col;
        }
    }
    return {};
}

// Puts what `made` holds into `into`.
template <class T>
Status take(platform::Result<T> made, T& into) {
    if (!made) return std::unexpected(made.error());
    into = std::move(*made);
    return {};
}

Status fill(api::RunRequest& request, const RunOptions& options) {
    request.agent = options.agent;
    request.user = options.user;
    request.pass_environment = options.environment;
    request.report_steps = options.report;
    if (auto s = take(api::pack_environment(::environ), request.environment); !s) return s;
    if (auto s = take(api::open_folder("."), request.working_directory); !s) return s;
    if (!options.workspace.empty()) {
        if (auto s = take(api::open_folder(options.workspace), request.workspace); !s) return s;
    }
    if (options.policy.empty()) return {};
    request.policy_name = options.policy == "-" ? "(standard input)" : options.policy;
    return take(api::pack_policy(options.policy), request.policy);
}

int run(const RunOptions& options, std::vector<std::string> command) {
    api::RunRequest request;
    request.command = std::move(command);
    std::array<Fd, 3> ours;
    if (auto s = fill_standard_streams(); !s) return complain(s.error(), kNotStarted);
    // Early: the daemon looks at who is calling while the request is put together.
    auto socket = api::connect_daemon(api::socket_path());
    if (!socket) return complain(socket.error(), kNoDaemon);
    if (auto s = fill(request, options); !s) return complain(s.error(), kNotStarted);
    if (auto s = add_streams(request, ours); !s) return complain(s.error(), kNotStarted);

    const std::array<bool, 3> terminal{request.terminal[0], request.terminal[1], request.terminal[2]};
    // From here on signals are read, so that none of them leaves the terminal as it should not be.
    RunLoop loop(std::move(*socket), terminal, std::move(ours), options.report);
    if (auto sent = loop.ask(request); !sent) return complain(sent.error(), kNotStarted);
    request = {};  // the session's ends of the pipes: held here, they would never reach their end
    return loop.run();
}

}  // namespace

void add_run(CLI::App& app, Invocation& invocation) {
    auto options = std::make_shared<RunOptions>();
    CLI::App* command =
        app.add_subcommand("run", "start COMMAND confined, on this terminal or in a pipeline");
    command->prefix_command();
    command
        ->add_option("--agent", options->agent, "run as this agent of the policy; refused if its trust fails")
        ->type_name("ID");
    command
        ->add_option("--workspace", options->workspace, "the folder that it may change (here if not given)")
        ->type_name("DIR");
    command->add_option("--policy", options->policy, "one more policy, which can only tighten")
        ->type_name("FILE");
    command->add_option("--user", options->user, "for root: the person whose session it is")
        ->type_name("NAME");
    command
        ->add_option("--env", options->environment,
                     "hand this variable through as well; may be given more than once")
        ->type_name("NAME")
        ->allow_extra_args(false);
    command->add_flag("-v,--verbose", options->report, "print the steps of the start and how long each took");
    command->footer(
        "EXAMPLES\n"
        "  reeve run -- claude\n"
        "  reeve run --workspace ~/src/site npm test\n"
        "  git diff | reeve run --env ANTHROPIC_API_KEY claude -p 'review this' > review.md\n"
        "Gives the command's exit code, 128 + N where signal N ended it; 125 where Reeve could not start "
        "it.");
    command->callback([options, &invocation] {
        invocation.action = [options, &invocation] { return run(*options, invocation.command); };
    });
}

}  // namespace reeve::client
