#include "daemon/session/policies.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "daemon/session/hash.hpp"
#include "platform/fd.hpp"
#include "platform/linux/memfd.hpp"

namespace reeve::session {
namespace {

namespace fs = std::filesystem;
using platform::error;
using platform::Fd;
using platform::os_error;
using platform::Result;
using platform::Status;

constexpr std::size_t kMostKept = 16;

// The text of a file that only root could have written, checked on the open file.
Result<std::string> read_trusted(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) return os_error("open the policy", path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return os_error("look at the policy", path);
    if (!S_ISREG(status.st_mode)) return error("read the policy", path, "it is not a regular file");
    if ((status.st_uid != 0 && status.st_uid != ::geteuid()) || (status.st_mode & 022) != 0)
        return error("read the policy", path, "others than root can write it",
                     "chown root:root and chmod go-w it");
    std::string text(policy::kMaxDocumentBytes + 1, '\0');
    std::size_t size = 0;
    for (ssize_t got = 1; got > 0 && size < text.size(); size += static_cast<std::size_t>(got)) {
        got = ::read(file.get(), text.data() + size, text.size() - size);
        if (got < 0) return os_error("read the policy", path);
    }
    text.resize(size);
    return text;
}

Result<std::vector<std::string>> documents_in(const std::string& directory) {
    std::vector<std::string> paths;
    std::error_code failed;
    for (fs::directory_iterator at(directory, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string extension = at->path().extension();
        const bool hidden = at->path().filename().string().starts_with('.');
        if (!hidden && (extension == ".json" || extension == ".jsonc")) paths.push_back(at->path());
    }
    if (failed && failed != std::errc::no_such_file_or_directory)
        return os_error("list the policies in", directory, failed.value());
    std::ranges::sort(paths);
    return paths;
}

struct Reading {
    std::vector<policy::Layer> layers;
    std::vector<SourceFile> files;
    std::string problems;  // a line each
    std::string texts;     // of all, each with its length before it, so that no two sets are one text

    void add(const std::string& path, policy::Authority authority) {
        auto text = read_trusted(path);
        if (!text) return note(text.error().text());
        auto document = policy::parse_document(*text, path);
        if (!document) return note(policy::to_string(document.error()));
        texts += std::to_string(text->size()) + ":" + *text;
        files.push_back(
            {.path = path, .authority = authority, .id = document->id, .version = document->version});
        layers.push_back({authority, std::move(*document)});
    }
    void add_folder(const std::string& directory, policy::Authority authority) {
        auto paths = documents_in(directory);
        if (!paths) return note(paths.error().text());
        for (const std::string& path : *paths) add(path, authority);
    }
    void note(const std::string& line) { problems += (problems.empty() ? "" : "\n") + line; }
};

std::string key_of(const policy::Variables& variables, const std::string& agent,
                   const std::string& run_text) {
    std::string key;
    for (const std::string* part :
         {&variables.home, &variables.workspace, &variables.user, &variables.tmp, &agent, &run_text})
        key += *part + '\0';
    return key;
}

// What a session could do that policy does not allow, as far as patterns go; plan_of() finds the rest.
bool gives_too_much(const policy::Zones& zones) {
    return std::ranges::any_of(zones.unenforced, &policy::Unenforced::widens) ||
           std::ranges::any_of(zones.masks, &policy::Mask::within_writable);
}

bool needs_keeper(const policy::Zones& zones) {
    const auto recorded = [](const policy::Zone& zone) {
        return zone.writable && (zone.log & policy::kLogChanges) != 0;
    };
    const auto tightened = [](const policy::Zone& zone) { return zone.tightens && zone.within_writable; };
    return gives_too_much(zones) || std::ranges::any_of(zones.grants, recorded) ||
           std::ranges::any_of(zones.grants, tightened);
}

bool lets_out(const policy::NetworkPolicy& network) {
    return std::ranges::any_of(network.entries(),
                               [](const auto& entry) { return entry.rule.verdict != policy::Verdict::deny; });
}

}  // namespace

Result<std::shared_ptr<Policies>> Policies::load(const PolicySources& sources, const Available& available) {
    Reading reading;
    reading.add(sources.vendor, policy::Authority::vendor);
    reading.add_folder(sources.directory, policy::Authority::organisation);
    reading.add_folder(sources.directory + "/device", policy::Authority::device);
    if (!reading.problems.empty())
        return error("use the policies", sources.directory, reading.problems,
                     "reeve policy check FILE shows the same");
    auto policies = std::make_shared<Policies>();
    policies->directory_ = sources.directory;
    policies->available_ = available;
    policies->layers_ = std::move(reading.layers);
    policies->files_ = std::move(reading.files);
    auto digest = text_hash(reading.texts);
    if (!digest) return std::unexpected(digest.error());
    policies->sha256_ = std::move(*digest);
    if (auto s = policies->look_at_everybodys(); !s) return std::unexpected(s.error());
    return policies;
}

// A policy that cannot be compiled is found when it is loaded, and not when the first session wants to start.
Status Policies::look_at_everybodys() {
    const policy::Variables nobody{.home = "/nonexistent",
                                   .workspace = "/nonexistent/workspace",
                                   .user = "nobody",
                                   .session = "none",
                                   .tmp = "/tmp"};
    auto policy = compile(nobody, std::string(policy::kUnverified), {}, {});
    if (!policy) return std::unexpected(policy.error());
    id_ = policy->policy->policy_id();
    settings_ = policy->policy->settings();
    gaps_ = policy->zones->unenforced;
    return {};
}

// With as little as holds to the policy: who needs no keeper works at the kernel's own speed.
Result<Compiled> Policies::plan(policy::Policy policy) const {
    policy::Means means{.veil = available_.veil};
    policy::Zones zones = policy::plan_zones(policy, means);
    if (available_.keeper && needs_keeper(zones)) {
        means.keeper = true;
        zones = policy::plan_zones(policy, means);
        // Reading by patterns costs much on every open: only for a policy that would rather not start without.
        if (policy.settings().unenforceable == policy::Unenforceable::refuse && gives_too_much(zones)) {
            means.keeper_reads = true;
            zones = policy::plan_zones(policy, means);
        }
    }
    Compiled compiled{
        .policy = nullptr, .zones = std::make_shared<const policy::Zones>(std::move(zones)), .means = means};
    if (means.keeper || means.veil) {
        const auto bytes = policy.table_bytes();
        auto table = platform::sealed_memfd("reeve-policy",
                                            {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
        if (!table) return std::unexpected(table.error());
        compiled.table = std::make_shared<const platform::Fd>(std::move(*table));
    }
    if (lets_out(policy.network()))
        compiled.network = std::make_shared<const std::string>(policy.network().encode());
    compiled.policy = std::make_shared<const policy::Policy>(std::move(policy));
    return compiled;
}

std::string Policies::warnings() const {
    for (const auto& file : files_)
        if (file.authority == policy::Authority::organisation) return {};
    return "no policy of the organisation: the vendor's default holds";
}

std::vector<policy::Layer> Policies::with(const std::optional<policy::Document>& run) const {
    auto layers = layers_;
    if (run) layers.push_back({policy::Authority::run, *run});
    return layers;
}

Result<Compiled> Policies::compile(const policy::Variables& variables, const std::string& agent,
                                   const std::optional<policy::Document>& run, const std::string& run_text) {
    // The session's id is in no path of the vendor's; a policy that uses it is compiled each time.
    std::string key = key_of(variables, agent, run_text);
    const bool by_session = std::ranges::any_of(layers_, [](const policy::Layer& layer) {
        return std::ranges::any_of(layer.document.files, [](const policy::FileRule& rule) {
            const auto names_session = [](const policy::PatternText& p) {
                return p.text.find("${session}") != std::string::npos;
            };
            return std::ranges::any_of(rule.paths, names_session) ||
                   std::ranges::any_of(rule.except, names_session);
        });
    });
    if (by_session || run) key += variables.session;
    const auto found = std::ranges::find(kept_, key, &Kept::key);
    if (found != kept_.end()) {
        kept_.splice(kept_.begin(), kept_, found);
        return kept_.front().compiled;
    }
    auto policy = policy::compile(with(run), variables, agent);
    if (!policy)
        return error("compile the policy", agent, policy::to_string(policy.error()),
                     "reeve policy check FILE shows the same");
    auto compiled = plan(std::move(*policy));
    if (!compiled) return compiled;
    kept_.push_front({std::move(key), std::move(*compiled)});
    if (kept_.size() > kMostKept) kept_.pop_back();
    return kept_.front().compiled;
}

}  // namespace reeve::session
