#include "platform/linux/network/rules.hpp"

#include <nftables/libnftables.h>

#include <algorithm>
#include <memory>
#include <string>

namespace reeve::platform::network {
namespace {

using Context = std::unique_ptr<nft_ctx, decltype(&nft_ctx_free)>;

std::string redirect(const char* family, const char* what, std::uint16_t port) {
    return "meta nfproto " + std::string(family) + " " + what + " redirect to :" + std::to_string(port) +
           "\n";
}

// Lookups first and for loopback addresses too: resolv.conf may name 127.0.0.53.
std::string lookups(const char* family, const Ports& ports) {
    if (ports.tcp == 0) return "";
    return redirect(family, "udp dport 53", ports.dns_udp) + redirect(family, "tcp dport 53", ports.dns_tcp);
}

std::string connections(const char* family, const Ports& ports) {
    return ports.tcp == 0 ? "" : redirect(family, "meta l4proto tcp", ports.tcp);
}

// What a door answers, and the errors about its packets, are established and related. What is dropped on its way out
// is EPERM for who sends it, at once.
std::string rules(const Ports& four, const Ports& six) {
    return "table inet reeve {\n"
           "chain doors {\n"
           "type nat hook output priority -100; policy accept;\n" +
           lookups("ipv4", four) + lookups("ipv6", six) +
           "ip daddr 127.0.0.0/8 return\n"
           "ip6 daddr ::1 return\n" +
           connections("ipv4", four) + connections("ipv6", six) +
           "}\n"
           "chain nothing_else {\n"
           "type filter hook output priority 0; policy drop;\n"
           "ct state established,related accept\n"
           "ip daddr 127.0.0.0/8 accept\n"
           "ip6 daddr ::1 accept\n"
           "}\n"
           "}\n";
}

// libnftables tells in many lines, with the rule and arrows below it.
std::string first_line(const char* text) {
    std::string line(text == nullptr ? "" : text);
    line.resize(std::min(line.size(), line.find('\n')));
    return line.empty() ? "libnftables does not say why" : line;
}

}  // namespace

Status load_rules(const Ports& four, const Ports& six) {
    constexpr const char* kTodo = "see that the kernel has nf_tables with nat and conntrack";
    const Context context(nft_ctx_new(NFT_CTX_DEFAULT), &nft_ctx_free);
    if (!context || nft_ctx_buffer_output(context.get()) != 0 || nft_ctx_buffer_error(context.get()) != 0)
        return error("set up the network's rules", "", "libnftables does not start", kTodo);
    if (nft_run_cmd_from_buffer(context.get(), rules(four, six).c_str()) == 0) return {};
    return error("set up the network's rules", "", first_line(nft_ctx_get_error_buffer(context.get())),
                 kTodo);
}

}  // namespace reeve::platform::network
