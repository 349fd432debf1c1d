// reeve audit verify.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <iostream>
#include <memory>

#include "client/command.hpp"
#include "daemon/api/audit_tools.hpp"
#include "daemon/api/calls.hpp"
#include "daemon/api/render_record.hpp"

namespace reeve::client {
namespace {

struct AuditOptions {
    std::string directory, state, key, checkpoint;
    bool json = false;
};

int verify_audit(const AuditOptions& options) {
    api::AuditPlaces places{.log = options.directory,
                            .state = options.state,
                            .key = options.key,
                            .checkpoint = options.checkpoint};
    // The log of this machine, unless another one was named: then its state is not ours.
    if (places.log.empty()) {
        places.log = api::kLogDirectory;
        if (places.state.empty()) places.state = api::kStateDirectory;
    }
    const auto verdict = api::verify_log(places);
    if (!verdict) return complain(verdict.error(), kNo);
    if (options.json)
        print_json(verdict->json);
    else
        std::cout << api::terminal_safe(verdict->text) << '\n';
    for (const std::string& missing : verdict->missing)
        std::cerr << api::terminal_safe("reeve: not checked: " + missing) << '\n';
    return finish_output(verdict->ok ? kYes : kNo);
}

}  // namespace

void add_audit(CLI::App& app, Invocation& invocation) {
    CLI::App* audit = app.add_subcommand("audit", "the audit log as evidence");
    audit->require_subcommand(0, 1);
    auto options = std::make_shared<AuditOptions>();
    CLI::App* verify =
        audit->add_subcommand("verify", "whether the log is whole; names the first record that is not right");
    verify->add_option("directory", options->directory, "of the log, if not this machine's own")
        ->type_name("DIR");
    verify
        ->add_option("--state", options->state, "the daemon's state, with the public key and last checkpoint")
        ->type_name("DIR");
    verify->add_option("--jwk", options->key, "the public key of the device that wrote it")
        ->type_name("FILE");
    verify
        ->add_option("--checkpoint", options->checkpoint,
                     "a checkpoint that was kept elsewhere: the log must hold at least what it says")
        ->type_name("FILE");
    verify->add_flag("--json", options->json, "as JSON");
    verify->footer(
        "EXAMPLES\n"
        "  sudo reeve audit verify\n"
        "  reeve audit verify --jwk laptop.jwk --checkpoint last.jws ./laptop-log\n"
        "Needs no daemon. Gives 1 where the log is not whole.");
    verify->callback(
        [options, &invocation] { invocation.action = [options] { return verify_audit(*options); }; });
}

}  // namespace reeve::client
