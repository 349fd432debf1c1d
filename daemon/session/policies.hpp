// The policies that hold on this machine, read from their files, and compiled for a session when one starts.
//
// /etc/reeve/policy.d/*.json[c] are the organisation's, those in its folder `device` the device's. A file must belong
// to root (or to whom the daemon runs as) and be writable by nobody else. Expired documents are refused when they are
// used, not when they are read. Not covered: signed bundles, and a person's own layer.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/fd.hpp"
#include "platform/result.hpp"
#include "policy/engine.hpp"
#include "policy/zones.hpp"

namespace reeve::session {

struct PolicySources {
    std::string vendor;     // a file
    std::string directory;  // may be missing
};

struct SourceFile {
    std::string path;
    policy::Authority authority = policy::Authority::vendor;
    std::string id;
    std::uint64_t version = 0;
};

// What this machine can start beside a session.
struct Available {
    bool keeper = false, veil = false, egress = false;
};

// A policy, and how a session holds to it.
struct Compiled {
    std::shared_ptr<const policy::Policy> policy;
    std::shared_ptr<const policy::Zones> zones;
    policy::Means means;  // what zones were planned with
    std::shared_ptr<const platform::Fd> table =
        {};  // sealed memfd of the policy's table; null where nobody needs it
    std::shared_ptr<const std::string> network =
        {};  // NetworkPolicy::encode(); null where it lets nothing out
};

class Policies {
  public:
    // Every error of every file in one text, by line; nothing is used of a set that has one.
    static platform::Result<std::shared_ptr<Policies>> load(const PolicySources& sources,
                                                            const Available& available);

    const std::vector<policy::Layer>& layers() const { return layers_; }
    const std::vector<SourceFile>& files() const { return files_; }
    const std::string& directory() const { return directory_; }  // what a certificate's path is relative to
    std::string warnings() const;

    // What holds on this machine whoever starts a session: of the policy of somebody who has no agent.
    const std::string& id() const { return id_; }  // "acme-desktop@12"
    const std::string& sha256() const {
        return sha256_;
    }  // over the texts of all documents, in the order of files()
    const policy::Settings& settings() const { return settings_; }
    const std::vector<policy::Unenforced>& gaps() const { return gaps_; }

    // With the document of --policy, where there is one.
    std::vector<policy::Layer> with(const std::optional<policy::Document>& run) const;

    // The policy of one session. Those compiled last are kept: compiling takes longer than all the rest of a
    // launch. One thread at a time.
    platform::Result<Compiled> compile(const policy::Variables& variables, const std::string& agent,
                                       const std::optional<policy::Document>& run,
                                       const std::string& run_text);

  private:
    platform::Status look_at_everybodys();
    platform::Result<Compiled> plan(policy::Policy policy) const;

    struct Kept {
        std::string key;
        Compiled compiled;
    };
    std::string directory_;
    Available available_;
    std::vector<policy::Layer> layers_;
    std::vector<SourceFile> files_;
    std::string id_, sha256_;
    policy::Settings settings_;
    std::vector<policy::Unenforced> gaps_;
    std::list<Kept> kept_;  // the last used first
};

}  // namespace reeve::session
