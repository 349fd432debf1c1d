#include "daemon/egress/dns_message.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <memory>

#include "daemon/egress/address_text.hpp"
#include "daemon/egress/name_text.hpp"

namespace reeve::egress {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kPlainUdp = 512;     // RFC 1035 section 4.2.1
constexpr std::size_t kOurUdp = 1232;      // what fits in a packet everywhere (DNS flag day 2020)
constexpr std::uint32_t kNegativeTtl = 5;  // seconds: a rule or a grant may change it at any time
constexpr std::uint8_t kBadVersion = 1;    // the upper bits of BADVERS, 16

using Packet = std::unique_ptr<ldns_pkt, decltype(&::ldns_pkt_free)>;

std::uint8_t byte_at(std::string_view wire, std::size_t at) {
    return static_cast<std::uint8_t>(wire[at]);
}

// No question is repeated: it may be what was malformed.
std::string bare_error(std::string_view query, ldns_pkt_rcode code) {
    std::string reply(kHeader, '\0');
    reply[0] = query[0];
    reply[1] = query[1];
    reply[2] = static_cast<char>(0x80 | (byte_at(query, 2) & 0x79));  // QR; opcode and RD as asked
    reply[3] = static_cast<char>(0x80 | code);                        // RA
    return reply;
}

// The labels of an uncompressed name, in lower case and with dots; false: not all of it could be a host's name.
bool read_name(std::string_view wire, std::string& text) {
    bool plain = true;
    while (!wire.empty() && wire[0] != '\0') {
        const auto label = wire.substr(1, byte_at(wire, 0));
        plain = plain && is_host_text(label) && label.find('.') == std::string_view::npos;
        if (!text.empty()) text += '.';
        text += label;
        wire.remove_prefix(1 + label.size());
    }
    // A dot inside a label is no final dot.
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return plain && is_host_text(text);
}

std::string_view data_of(const ldns_rdf* field) {
    return {reinterpret_cast<const char*>(::ldns_rdf_data(field)), ::ldns_rdf_size(field)};
}

Packet read_packet(std::string_view wire) {
    ldns_pkt* packet = nullptr;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(wire.data());
    if (::ldns_wire2pkt(&packet, bytes, wire.size()) != LDNS_STATUS_OK) packet = nullptr;
    return {packet, &::ldns_pkt_free};
}

void read_edns(const ldns_pkt* packet, DnsQuestion& question) {
    if (!::ldns_pkt_edns(packet)) return;
    question.edns_size = ::ldns_pkt_edns_udp_size(packet);
    question.dnssec_ok = ::ldns_pkt_edns_do(packet);
}

ldns_rr* new_record(const ldns_rdf* owner, ldns_rr_type type, std::uint32_t ttl) {
    ldns_rr* record = ::ldns_rr_new();
    ::ldns_rr_set_owner(record, ::ldns_rdf_clone(owner));
    ::ldns_rr_set_type(record, type);
    ::ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
    ::ldns_rr_set_ttl(record, ttl);
    return record;
}

ldns_rdf* name_field(std::string_view wire) {
    return ::ldns_dname_new_frm_data(static_cast<std::uint16_t>(wire.size()), wire.data());
}

void push_question(ldns_pkt* packet, const DnsQuestion& question) {
    ldns_rr* record = ::ldns_rr_new();
    ::ldns_rr_set_question(record, true);
    ::ldns_rr_set_owner(record, name_field(question.wire_name));
    ::ldns_rr_set_type(record, static_cast<ldns_rr_type>(question.type));
    ::ldns_rr_set_class(record, LDNS_RR_CLASS_IN);
    ::ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, record);
}

void push_address(ldns_pkt* packet, const ldns_rdf* owner, const policy::Address& address,
                  std::uint32_t ttl) {
    const bool four = is_four(address);
    ldns_rr* record = new_record(owner, four ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA, ttl);
    const std::size_t skipped = four ? 12 : 0;
    ::ldns_rr_push_rdf(
        record, ::ldns_rdf_new_frm_data(four ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA,
                                        address.bytes.size() - skipped, address.bytes.data() + skipped));
    ::ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, record);
}

void push_pointer(ldns_pkt* packet, const ldns_rdf* owner, const DnsAnswer& answer) {
    ldns_rdf* name = ::ldns_dname_new_frm_str(answer.pointer.c_str());
    if (name == nullptr) return;
    ldns_rr* record = new_record(owner, LDNS_RR_TYPE_PTR, answer.ttl);
    ::ldns_rr_push_rdf(record, name);
    ::ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, record);
}

// RFC 2308: the last number, with the TTL, is how long "no" may be cached. Of the root, which is above every name.
void push_soa(ldns_pkt* packet) {
    ldns_rdf* root = ::ldns_dname_new_frm_str(".");
    ldns_rr* record = new_record(root, LDNS_RR_TYPE_SOA, kNegativeTtl);
    ::ldns_rdf_deep_free(root);
    ::ldns_rr_push_rdf(record, ::ldns_dname_new_frm_str("reeve.invalid."));
    ::ldns_rr_push_rdf(record, ::ldns_dname_new_frm_str("nobody.invalid."));
    for (const std::uint32_t number : {1U, 3600U, 600U, 86400U, std::uint32_t{kNegativeTtl}})
        ::ldns_rr_push_rdf(record, ::ldns_native2rdf_int32(LDNS_RDF_TYPE_INT32, number));
    ::ldns_pkt_push_rr(packet, LDNS_SECTION_AUTHORITY, record);
}

Packet new_reply(const DnsQuestion& question, std::uint8_t code) {
    Packet packet(::ldns_pkt_new(), &::ldns_pkt_free);
    ::ldns_pkt_set_id(packet.get(), question.id);
    ::ldns_pkt_set_qr(packet.get(), true);
    ::ldns_pkt_set_ra(packet.get(), true);
    ::ldns_pkt_set_rd(packet.get(), question.recursion_desired);
    ::ldns_pkt_set_cd(packet.get(), question.checking_disabled);
    ::ldns_pkt_set_rcode(packet.get(), code);
    if (question.edns_size) {
        ::ldns_pkt_set_edns_udp_size(packet.get(), kOurUdp);
        ::ldns_pkt_set_edns_do(packet.get(), question.dnssec_ok);
    }
    push_question(packet.get(), question);
    return packet;
}

std::string to_wire(const ldns_pkt* packet) {
    std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    if (::ldns_pkt2wire(&bytes, packet, &size) != LDNS_STATUS_OK) return {};
    std::string wire(reinterpret_cast<const char*>(bytes), size);
    ::free(bytes);  // ldns's: malloc()
    return wire;
}

std::string bad_version(const DnsQuestion& question) {
    const Packet reply = new_reply(question, 0);
    ::ldns_pkt_set_edns_extended_rcode(reply.get(), kBadVersion);
    return to_wire(reply.get());
}

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

}  // namespace

std::expected<DnsQuestion, std::string> parse_dns_query(std::string_view wire) {
    if (wire.size() < kHeader || (byte_at(wire, 2) & 0x80) != 0) return std::unexpected(std::string());
    if ((byte_at(wire, 2) & 0x78) != 0) return std::unexpected(bare_error(wire, LDNS_RCODE_NOTIMPL));
    const auto malformed = [&] { return std::unexpected(bare_error(wire, LDNS_RCODE_FORMERR)); };
    const Packet packet = read_packet(wire);
    if (!packet || ::ldns_pkt_qdcount(packet.get()) != 1 || ::ldns_pkt_ancount(packet.get()) != 0 ||
        ::ldns_pkt_nscount(packet.get()) != 0)
        return malformed();
    const ldns_rr* asked = ::ldns_rr_list_rr(::ldns_pkt_question(packet.get()), 0);
    if (asked == nullptr || ::ldns_rr_owner(asked) == nullptr) return malformed();
    DnsQuestion question;
    question.wire_name = data_of(::ldns_rr_owner(asked));
    question.plain = read_name(question.wire_name, question.name);
    question.type = static_cast<RecordType>(::ldns_rr_get_type(asked));
    question.id = ::ldns_pkt_id(packet.get());
    question.recursion_desired = ::ldns_pkt_rd(packet.get());
    question.checking_disabled = ::ldns_pkt_cd(packet.get());
    read_edns(packet.get(), question);
    if (question.edns_size && ::ldns_pkt_edns_version(packet.get()) != 0)
        return std::unexpected(bad_version(question));
    if (::ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN)
        return std::unexpected(bare_error(wire, LDNS_RCODE_NOTIMPL));
    return question;
}

std::size_t udp_limit(const DnsQuestion& question) {
    return std::clamp<std::size_t>(question.edns_size.value_or(0), kPlainUdp, kOurUdp);
}

std::string encode_dns_answer(const DnsQuestion& question, const DnsAnswer& answer, std::size_t limit) {
    Packet reply = new_reply(question, static_cast<std::uint8_t>(answer.code));
    const std::unique_ptr<ldns_rdf, decltype(&::ldns_rdf_deep_free)> owner(name_field(question.wire_name),
                                                                           &::ldns_rdf_deep_free);
    for (const auto& address : answer.addresses) push_address(reply.get(), owner.get(), address, answer.ttl);
    if (!answer.pointer.empty()) push_pointer(reply.get(), owner.get(), answer);
    const bool negative = answer.code == ResponseCode::no_such_name || answer.code == ResponseCode::no_error;
    if (negative && ::ldns_pkt_ancount(reply.get()) == 0) push_soa(reply.get());
    std::string wire = to_wire(reply.get());
    if (wire.size() <= limit) return wire;
    reply = new_reply(question, static_cast<std::uint8_t>(answer.code));
    ::ldns_pkt_set_tc(reply.get(), true);
    return to_wire(reply.get());
}

std::string type_name(RecordType type) {
    char* text = ::ldns_rr_type2str(static_cast<ldns_rr_type>(type));
    std::string name = text == nullptr ? "" : text;
    ::free(text);  // ldns's: malloc()
    return name;
}

std::optional<policy::Address> reverse_address(std::string_view name) {
    constexpr std::string_view kFourTail = ".in-addr.arpa", kSixTail = ".ip6.arpa";
    if (name.ends_with(kFourTail)) {
        std::string_view rest = name.substr(0, name.size() - kFourTail.size());
        std::string text;
        while (!rest.empty()) {
            const auto dot = rest.rfind('.');
            text.append(text.empty() ? "" : ".").append(rest.substr(dot + 1));  // npos + 1 is 0
            rest = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
        }
        return text.find(':') == std::string::npos ? policy::parse_address(text) : std::nullopt;
    }
    policy::Address six;
    const std::size_t digits = 2 * six.bytes.size();
    if (name.size() != 2 * digits - 1 + kSixTail.size() || !name.ends_with(kSixTail)) return std::nullopt;
    for (std::size_t i = 0; i < digits; ++i) {
        const auto digit = hex_digit(name[2 * i]);
        if (!digit || name[2 * i + 1] != '.') return std::nullopt;
        const std::size_t nibble = digits - 1 - i;
        six.bytes.at(nibble / 2) |= static_cast<std::uint8_t>(*digit << (nibble % 2 == 0 ? 4 : 0));
    }
    return six;
}

}  // namespace reeve::egress
