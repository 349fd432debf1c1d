// doctor: in one screen what holds on this machine, what does not, and what to do about it.
#include "daemon/reeved/services.hpp"

namespace reeve::daemon {
namespace {

enum class State { kOk, kWarning, kProblem, kOff };

class Findings {
  public:
    void add(const char* area, const char* name, State state, const std::string& detail,
             const std::string& todo = {}) {
        constexpr const char* kWords[] = {"ok", "warning", "problem", "off"};
        api::Json finding{{"area", area},
                          {"name", name},
                          {"state", kWords[static_cast<std::size_t>(state)]},
                          {"detail", detail}};
        if (!todo.empty()) finding["todo"] = todo;
        all_.push_back(std::move(finding));
    }
    api::Json take() { return std::move(all_); }

  private:
    api::Json all_ = api::Json::array();
};

void sandbox(Findings& findings, const platform::confine::Support& support) {
    if (support.landlock_abi > 0)
        findings.add("sandbox", "landlock", State::kOk, "ABI " + std::to_string(support.landlock_abi));
    else
        findings.add("sandbox", "landlock", State::kWarning,
                     "this kernel has none: one wall less behind the mounts", "boot with lsm=landlock,...");
    findings.add("sandbox", "cgroup-kill", support.cgroup_kill ? State::kOk : State::kWarning,
                 support.cgroup_kill ? "sessions end at once"
                                     : "before Linux 5.14: sessions are killed process by process");
    findings.add("sandbox", "memfd-noexec", support.memfd_noexec ? State::kOk : State::kWarning,
                 support.memfd_noexec
                     ? "memory files cannot be executed"
                     : "before Linux 6.3: memory files can be executed, and leave no path in the log");
    findings.add(
        "sandbox", "user-namespaces", support.user_namespaces ? State::kOk : State::kProblem,
        support.user_namespaces ? "sessions get their own" : "they are switched off: no session can start",
        support.user_namespaces ? "" : "sysctl user.max_user_namespaces");
}

// Why the keeper is not there, and what to do about it.
std::pair<std::string, std::string> keeper_missing(const platform::confine::Support& support) {
    if (support.landlock_abi == 0)
        return {"this kernel has no Landlock, without which changes could not be kept for it",
                "boot with lsm=landlock,..."};
    if (!support.notify) return {"it needs seccomp user notification of Linux 5.19", "boot a newer kernel"};
    if (support.ptrace_refused)
        return {"Yama's scope 3 refuses it to read what its session asks",
                "sysctl kernel.yama.ptrace_scope=1 or 2, and boot"};
    return {"reeve-keeper is not installed", "install the package again"};
}

void companions(Findings& findings, const Services& services) {
    if (services.available.keeper) {
        findings.add("companions", "keeper", State::kOk,
                     "decides on each change in writable folders, and records it");
    } else {
        const auto [why, todo] = keeper_missing(services.support);
        findings.add("companions", "keeper", State::kProblem,
                     "not there, so patterns for names that do not exist yet are not enforced: " + why, todo);
    }
    if (services.available.veil)
        findings.add("companions", "veil", State::kOk,
                     "shows the home by policy, and records what is looked for");
    else
        findings.add("companions", "veil", State::kWarning,
                     "not there, so the home is absent inside, and nothing in it can be asked about",
                     services.support.fuse ? "install the package again" : "modprobe fuse");
}

void way_out(Findings& findings, const Services& services) {
    if (!services.available.egress) {
        findings.add(
            "companions", "egress", State::kWarning,
            "not there, so sessions have no network: reeve-egress or the user of that name is missing",
            "install the package again");
        return;
    }
    const auto doors = services.spawner.take_doors();
    if (doors)
        findings.add(
            "companions", "egress", State::kOk,
            "the only way out of a session: names and addresses by policy, each connection on record");
    else
        findings.add("companions", "egress", State::kWarning,
                     "sessions have no network: " + doors.error().text());
}

// What DESIGN has and this version does not: said here, where people look.
void missing(Findings& findings) {
    findings.add("parts", "consent", State::kOff, "not built yet: what policy would ask about is denied");
    findings.add("parts", "tpm", State::kOff,
                 "not used yet: the device key is a file that root can read (tier software)");
}

void policies(Findings& findings, const session::Policies& policies) {
    std::string documents;
    for (const auto& file : policies.files())
        documents += (documents.empty() ? "" : ", ") + file.id + "@" + std::to_string(file.version);
    const std::string warnings = policies.warnings();
    findings.add("policy", "documents", warnings.empty() ? State::kOk : State::kWarning,
                 documents + (warnings.empty() ? "" : ": " + warnings),
                 warnings.empty() ? "" : "put one into " + policies.directory());
    const auto& gaps = policies.gaps();
    std::size_t widening = 0;
    std::string patterns;
    for (const auto& gap : gaps) {
        if (!gap.widens) continue;
        ++widening;
        if (patterns.size() < 200) patterns += (patterns.empty() ? "" : " ") + gap.pattern;
    }
    if (widening == 0)
        findings.add("policy", "enforced", State::kOk, "every pattern can be enforced");
    else
        findings.add("policy", "enforced", State::kWarning,
                     std::to_string(widening) + " patterns are not enforced: " + patterns +
                         (patterns.size() >= 200 ? " ..." : ""),
                     "reeve policy show says why; \"unenforceable\": \"refuse\" starts no session with such");
}

void log(Findings& findings, const Services& services) {
    const auto statistics = services.log.statistics();
    const auto position = services.log.position();
    if (!statistics.writable)
        findings.add("log", "writable", State::kProblem, "the log cannot be written: no session starts",
                     "make room on the disk of " + services.settings.log_directory);
    else
        findings.add("log", "writable", State::kOk,
                     std::to_string(position.seq) + " records in " + services.settings.log_directory);
    if (statistics.lost > 0)
        findings.add("log", "complete", State::kProblem,
                     std::to_string(statistics.lost) + " records were lost since the start",
                     "see reeve log --action audit.gap");
}

}  // namespace

void call_doctor(Services& services, const Client& client, const api::Json& body) {
    api::Members members(body, "the call doctor");
    members.string("call");
    if (auto s = members.finish(); !s) return client->fail(s.error());
    Findings findings;
    sandbox(findings, services.support);
    companions(findings, services);
    way_out(findings, services);
    policies(findings, *services.sessions.policies());
    log(findings, services);
    findings.add("device", "key", State::kOk, "P-256, thumbprint " + services.key->thumbprint());
    std::size_t own = 0;
    for (const auto* session : services.sessions.all())
        own += may_act_on(*client, session->facts().uid) ? 1 : 0;
    findings.add("sessions", "running", State::kOk,
                 std::to_string(own) + (client->peer().is_root() ? " in all" : " of yours"));
    missing(findings);
    client->done({{"findings", findings.take()}});
}

}  // namespace reeve::daemon
