// reeved: reads its command line, and hands over to the Daemon.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "daemon/reeved/daemon.hpp"

namespace {

int fail(const reeve::platform::Error& error) {
    std::fprintf(stderr, "reeved: %s\n", error.text().c_str());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace reeve::daemon;
    CLI::App app(
        "Starts agents in confined sessions, keeps the audit log, attests this device. See reeved(8).",
        "reeved");
    std::string config, policies, state, run, log;
    bool foreground = false;
    app.set_version_flag("--version", std::string("reeved ") + REEVE_VERSION);
    app.add_flag("--foreground", foreground,
                 "stay in the foreground; it always does, the service manager has the background");
    app.add_option("--config", config, "settings, instead of /etc/reeve/reeved.json")->type_name("FILE");
    app.add_option("--policy-dir", policies, "policies, instead of /etc/reeve/policy.d")->type_name("DIR");
    app.add_option("--state-dir", state, "device key and last checkpoint, instead of /var/lib/reeve")
        ->type_name("DIR");
    app.add_option("--run-dir", run, "the socket, instead of /run/reeve")->type_name("DIR");
    app.add_option("--log-dir", log, "the audit log, instead of /var/log/reeve")->type_name("DIR");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (::geteuid() != 0)
        return fail(
            reeve::platform::error("start", "", "it needs root", "sudo, or systemctl start reeved").error());
    ::umask(0022);  // every file of the daemon's is made with the mode that it is to have
    spdlog::set_default_logger(spdlog::stderr_logger_mt("reeved"));
    // systemd's journal has the time; the level comes as it reads it, sd-daemon(3).
    spdlog::set_pattern("[%l] %v");

    auto settings = read_settings(config.empty() ? "/etc/reeve/reeved.json" : config, !config.empty());
    if (!settings) return fail(settings.error());
    for (const auto& [given, into] : {std::pair{&policies, &settings->policy_directory},
                                      {&state, &settings->state_directory},
                                      {&run, &settings->run_directory},
                                      {&log, &settings->log_directory}}) {
        if (given->empty()) continue;
        if (!given->starts_with('/'))
            return fail(
                reeve::platform::error("use the folder", *given, "it is not an absolute path").error());
        *into = *given;
    }
    auto daemon = Daemon::create(std::move(*settings), reeve::platform::ServiceManager::from_environment());
    if (!daemon) return fail(daemon.error());
    if (auto s = (*daemon)->run(); !s) return fail(s.error());
    return 0;
}
