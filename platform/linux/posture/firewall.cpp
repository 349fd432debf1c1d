// Does anything filter what comes in from the network? Asks the kernel's nf_tables directly, so that it does
// not matter which program (nft, ufw, firewalld, iptables-nft) wrote the rules.
//
// It says that a filter stands there, not that the rules are good. Rules of the old iptables (before
// nf_tables) cannot be read this way: the check is then not-run.
#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>

#include <cstring>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kFirewall{"network", "firewall"};

template <class T>
T load(std::string_view bytes) {  // the caller has checked the length; netlink is not always aligned
    T value;
    bytes.copy(reinterpret_cast<char*>(&value), sizeof value);
    return value;
}

// Calls visit(type, payload) for each attribute. False where the bytes are not a row of attributes.
template <class Visit>
bool each_attribute(std::string_view bytes, Visit visit) {
    while (!bytes.empty()) {
        if (bytes.size() < sizeof(nlattr)) return false;
        const auto head = load<nlattr>(bytes);
        if (head.nla_len < sizeof(nlattr) || head.nla_len > bytes.size()) return false;
        visit(head.nla_type & NLA_TYPE_MASK, bytes.substr(sizeof(nlattr), head.nla_len - sizeof(nlattr)));
        bytes.remove_prefix(std::min<std::size_t>(NLA_ALIGN(head.nla_len), bytes.size()));
    }
    return true;
}

std::uint32_t big_endian(std::string_view payload) {
    return payload.size() == sizeof(std::uint32_t) ? be32toh(load<std::uint32_t>(payload)) : 0;
}
std::string string(std::string_view payload) {
    return printable(payload.substr(0, payload.find('\0')));
}

// One NFT_MSG_NEWCHAIN. Empty where the chain does not filter what comes in.
Result<std::optional<InputChain>> parse_chain(std::string_view message) {
    if (message.size() < sizeof(nfgenmsg)) return malformed("nf_tables", "a chain is cut short");
    const auto family = load<nfgenmsg>(message).nfgen_family;
    InputChain chain;
    std::string type;
    bool hooked = false, sound = true;
    std::uint32_t hook = 0;
    sound = each_attribute(
        message.substr(NLMSG_ALIGN(sizeof(nfgenmsg))), [&](int attribute, std::string_view value) {
            switch (attribute) {
                case NFTA_CHAIN_TABLE:
                    chain.table = string(value);
                    break;
                case NFTA_CHAIN_NAME:
                    chain.name = string(value);
                    break;
                case NFTA_CHAIN_TYPE:
                    type = string(value);
                    break;
                case NFTA_CHAIN_POLICY:
                    chain.drops_by_default = big_endian(value) == NF_DROP;
                    break;
                case NFTA_CHAIN_USE:
                    chain.rules = big_endian(value);
                    break;
                case NFTA_CHAIN_HOOK:
                    hooked = each_attribute(value, [&](int inner, std::string_view number) {
                        if (inner == NFTA_HOOK_HOOKNUM) hook = big_endian(number);
                    });
                    break;
                default:
                    break;
            }
        });
    if (!sound) return malformed("nf_tables", "the attributes of a chain do not fit");
    const bool internet = family == NFPROTO_INET || family == NFPROTO_IPV4 || family == NFPROTO_IPV6;
    if (!internet || !hooked || hook != NF_INET_LOCAL_IN || type != "filter")
        return std::optional<InputChain>{};
    return chain;
}

Check without_nf_tables(const FileSystem& files) {
    // The old tables can be listed, but not read, without the old programs.
    for (const char* names : {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"}) {
        const auto tables = files.read(names);
        if (!tables && tables.error().code != ENOENT) return not_run(kFirewall, tables.error());
        if (tables && tables->find("filter") != std::string::npos)
            return not_run(kFirewall, reason::kUnsupported,
                           "rules may stand in the old iptables, which cannot be read",
                           "move the rules to nftables");
    }
    return absent(kFirewall, reason::kNotInstalled, "nothing filters what comes in",
                  "install ufw, firewalld or nftables rules");
}

Check firewall(const Sources& from) {
    const auto bytes = from.kernel.nft_chains();
    if (!bytes && bytes.error().code == ENOTSUP) return without_nf_tables(from.files);
    if (!bytes) return not_run(kFirewall, bytes.error());
    const auto chains = parse_nft_chains(*bytes);
    if (!chains) return not_run(kFirewall, chains.error());
    for (const auto& chain : *chains) {
        const auto where = chain.table + "/" + chain.name;
        if (chain.drops_by_default) return success(kFirewall, where + " drops what no rule accepts");
        if (chain.rules > 0)
            return success(kFirewall, where + " filters with " + std::to_string(chain.rules) + " rules");
    }
    auto old = without_nf_tables(from.files);
    if (chains->empty() || old.word == Word::kNotRun) return old;
    return fail(kFirewall, "value_accept", "the firewall is there and accepts everything",
                "switch it on: ufw enable, or load rules");
}

}  // namespace

Result<std::vector<InputChain>> parse_nft_chains(std::string_view bytes) {
    constexpr std::size_t kHead = NLMSG_HDRLEN;
    std::vector<InputChain> chains;
    while (!bytes.empty()) {
        if (bytes.size() < kHead) return malformed("nf_tables", "the answer is cut short");
        const auto head = load<nlmsghdr>(bytes);
        if (head.nlmsg_len < kHead || head.nlmsg_len > bytes.size())
            return malformed("nf_tables", "a message does not fit");
        if (head.nlmsg_flags & NLM_F_DUMP_INTR)
            return malformed("nf_tables", "rules changed while they were read");
        if (head.nlmsg_type == NLMSG_DONE) return chains;
        if (head.nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWCHAIN)) {
            auto chain = parse_chain(bytes.substr(kHead, head.nlmsg_len - kHead));
            if (!chain) return std::unexpected(chain.error());
            if (*chain) chains.push_back(std::move(**chain));
        }
        bytes.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(head.nlmsg_len), bytes.size()));
    }
    return malformed("nf_tables", "the answer has no end");
}

std::vector<Check> probe_firewall(const Sources& from, const Subject&) {
    return {firewall(from)};
}

}  // namespace reeve::platform::posture
