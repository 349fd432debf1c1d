// A network policy as bytes: CBOR of the members that decisions need.
#include <nlohmann/json.hpp>

#include "policy/network.hpp"

namespace reeve::policy {
namespace {

using Json = nlohmann::json;

Json to_json(const NetworkPolicy::Entry& entry) {
    const NetworkTarget& target = entry.rule.target;
    Json ports = Json::array(), addresses = Json::array();
    for (const auto& range : target.ports) ports.push_back({range.first, range.last});
    for (const auto& range : target.addresses)
        addresses.push_back({range.kind ? static_cast<int>(*range.kind) : -1,
                             std::vector<std::uint8_t>(range.network.begin(), range.network.end()),
                             range.prefix});
    return {static_cast<int>(entry.authority),
            entry.id,
            static_cast<int>(entry.rule.verdict),
            static_cast<int>(entry.rule.verify),
            target.hosts,
            target.except,
            std::move(ports),
            std::move(addresses),
            entry.rule.reason};
}

// Throws what nlohmann throws for another shape.
NetworkPolicy::Entry from_json(const Json& json) {
    NetworkPolicy::Entry entry{
        static_cast<Authority>(json.at(0).get<int>()), json.at(1).get<std::string>(), {}};
    NetworkRule& rule = entry.rule;
    rule.id = entry.id;
    rule.verdict = static_cast<Verdict>(json.at(2).get<int>());
    rule.verify = static_cast<Verify>(json.at(3).get<int>());
    rule.target.hosts = json.at(4).get<std::vector<std::string>>();
    rule.target.except = json.at(5).get<std::vector<std::string>>();
    for (const Json& range : json.at(6))
        rule.target.ports.push_back({range.at(0).get<std::uint16_t>(), range.at(1).get<std::uint16_t>()});
    for (const Json& range : json.at(7)) {
        AddressRange made;
        if (const int kind = range.at(0).get<int>(); kind >= 0) made.kind = static_cast<AddressClass>(kind);
        const auto network = range.at(1).get<std::vector<std::uint8_t>>();
        made.network.assign(network.begin(), network.end());
        made.prefix = range.at(2).get<unsigned>();
        rule.target.addresses.push_back(std::move(made));
    }
    rule.reason = json.at(8).get<std::string>();
    return entry;
}

bool in_range(const NetworkPolicy::Entry& entry) {
    return static_cast<std::size_t>(entry.authority) < kAuthorities && entry.rule.verdict <= Verdict::deny &&
           entry.rule.verify <= Verify::name;
}

}  // namespace

std::string NetworkPolicy::encode() const {
    Json entries = Json::array();
    for (const Entry& entry : entries_) entries.push_back(to_json(entry));
    const auto bytes = Json::to_cbor(Json{static_cast<int>(base_), std::move(entries)});
    return {bytes.begin(), bytes.end()};
}

std::optional<NetworkPolicy> NetworkPolicy::decode(std::string_view bytes) try {
    const Json json = Json::from_cbor(bytes);
    std::vector<Entry> entries;
    for (const Json& entry : json.at(1)) {
        entries.push_back(from_json(entry));
        if (!in_range(entries.back())) return std::nullopt;
    }
    const auto base = static_cast<Authority>(json.at(0).get<int>());
    if (static_cast<std::size_t>(base) >= kAuthorities) return std::nullopt;
    return NetworkPolicy(std::move(entries), base);
} catch (const Json::exception&) {
    return std::nullopt;
}

}  // namespace reeve::policy
