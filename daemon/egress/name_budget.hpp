// How much a session may say to the name servers of others in the names that it asks for.
//
// A rule such as "**.example.com" lets the agent choose what stands in front, and each new name is carried to whoever
// serves that domain: DNS tunnels work so. Each distinct name costs what it can carry; a domain's names together may
// cost so much, and then there are no new ones under it. It does not cover: which names of a few it asks for, and when.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "policy/network.hpp"

namespace reeve::egress {

// Units for each registrable domain. A CDN's or store's names ("bucket-17.s3.…") cost 10 to 20, so that some hundreds
// of them pass; as a tunnel it is 1 KiB for a whole session (long and random labels cost four times their bytes).
inline constexpr std::size_t kUnitsPerDomain = 4096;

class NameBudget {
  public:
    explicit NameBudget(const policy::NetworkPolicy& policy, std::size_t units = kUnitsPerDomain);

    // Before `name` (lower case, without a final dot) is asked of outside. False: no more names under its domain. What
    // was admitted once stays so and costs nothing again; what policy spells out costs nothing.
    bool admit(const std::string& name);

    // The registrable domain of a name, or the name where there is none.
    static std::string domain_of(const std::string& name);
    // Bytes of the part of `name` that the agent chose; a label of more than 24 bytes, or one that looks random, counts
    // four times. Random: at least 12 bytes, and either hardly a byte comes twice (its entropy is 0.9 of the most that
    // a label of this length can have), or both letters and digits are a quarter of it.
    static std::size_t cost_of(std::string_view chosen);

  private:
    const policy::NetworkPolicy& policy_;
    std::size_t units_;
    std::unordered_map<std::string, std::size_t> spent_;
    std::unordered_set<std::string> admitted_;
};

}  // namespace reeve::egress
