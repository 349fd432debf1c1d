#include "daemon/egress/lookups.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "daemon/access/holes.hpp"
#include "daemon/egress/address_text.hpp"
#include "daemon/egress/name_text.hpp"

namespace reeve::egress {
namespace {

constexpr std::size_t kMostOutstanding = 256;
constexpr std::uint32_t kTtl = 60;  // seconds; an address stays its name's for good

// Names that DNS does not answer, and that would tell others what is looked for here.
struct Special {
    std::string_view domain, reason;
};
constexpr std::array kSpecial{
    Special{"local", "names under .local are not looked up outside"},  // RFC 6762
    Special{"onion", "names under .onion are not looked up outside"},  // RFC 7686
    Special{"invalid", "there are no names under .invalid"},           // RFC 6761
    Special{"alt", "names under .alt are not looked up outside"},      // RFC 9476
    Special{"in-addr.arpa", "addresses are not looked up outside"},
    Special{"ip6.arpa", "addresses are not looked up outside"},
};

std::string_view special_reason(std::string_view name) {
    if (ends_in_number(name)) return "this is an address, not a name";
    const auto* found =
        std::ranges::find_if(kSpecial, [&](const Special& one) { return is_under(name, one.domain); });
    return found == kSpecial.end() ? std::string_view() : found->reason;
}

bool wants_address(const DnsQuestion& question) {
    return question.type == RecordType::a || question.type == RecordType::aaaa;
}

std::string_view text_of(ResponseCode code) {
    switch (code) {
        case ResponseCode::no_error:
            return "NODATA";
        case ResponseCode::server_failure:
            return "SERVFAIL";
        case ResponseCode::no_such_name:
            return "NXDOMAIN";
        case ResponseCode::refused:
            return "REFUSED";
    }
    return "";
}

}  // namespace

struct Lookups::Asked {
    DnsQuestion question;
    Report report;
};

Lookups::Lookups(Parts parts) : parts_(std::move(parts)), alive_(std::make_shared<bool>(true)) {}

Lookups::~Lookups() = default;

void Lookups::answer(const DnsQuestion& question, Done done) {
    Asked asked{question, {}};
    asked.report.lookup = true;
    asked.report.host = question.name;
    asked.report.type = type_name(question.type);
    asked.report.monotonic_ns = parts_.now_ns();
    if (!question.plain)
        return done(refuse(std::move(asked), ResponseCode::refused, "this is not the name of a host"));
    if (is_under(question.name, "localhost")) return done(local_host(question));
    if (const auto address = reverse_address(question.name); address && Names::is_synthetic(*address))
        return done(pointer(question));
    if (const auto reason = special_reason(question.name); !reason.empty())
        return done(refuse(std::move(asked), ResponseCode::no_such_name, std::string(reason)));
    const auto decision = parts_.policy.decide_name(question.name);
    asked.report.verdict = decision.verdict;
    asked.report.by_rule = decision.by_rule;
    asked.report.rule = decision.rule;
    if (decision.verdict == policy::Verdict::deny && !access::lacks("egress.names"))
        return done(refuse(std::move(asked), ResponseCode::no_such_name, decision.reason));
    asked.report.outcome = Outcome::allowed;
    if (!wants_address(question)) return done(synthetic(std::move(asked), false, false));
    if (decision.verdict == policy::Verdict::ask) return done(synthetic(std::move(asked), true, true));
    resolve(std::move(asked), std::move(done));
}

DnsAnswer Lookups::local_host(const DnsQuestion& question) const {
    DnsAnswer answer;
    answer.ttl = kTtl;
    if (question.type == RecordType::a)
        answer.addresses.push_back(four_address(in_addr{htonl(INADDR_LOOPBACK)}));
    if (question.type == RecordType::aaaa) answer.addresses.push_back(six_address(in6addr_loopback));
    return answer;
}

DnsAnswer Lookups::pointer(const DnsQuestion& question) {
    DnsAnswer answer;
    const auto name = parts_.names.name_of(*reverse_address(question.name));
    if (name.empty()) answer.code = ResponseCode::no_such_name;
    if (question.type == RecordType::ptr) answer.pointer = name;
    answer.ttl = kTtl;
    return answer;
}

DnsAnswer Lookups::refuse(Asked asked, ResponseCode code, std::string reason) {
    DnsAnswer answer;
    answer.code = code;
    asked.report.reason = std::move(reason);
    asked.report.address = text_of(code);
    report(asked);
    return answer;
}

// The address of the family that was asked for, where the name has it.
DnsAnswer Lookups::synthetic(Asked asked, bool has_four, bool has_six) {
    DnsAnswer answer;
    answer.ttl = kTtl;
    const bool six = asked.question.type == RecordType::aaaa;
    if (six ? has_six && parts_.has_six : has_four) {
        const auto pair = parts_.names.addresses_of(asked.question.name);
        if (!pair) {
            asked.report.outcome = Outcome::failed;
            return refuse(std::move(asked), ResponseCode::server_failure,
                          "the session has asked for more names than there are addresses for");
        }
        answer.addresses.push_back(six ? pair->six : pair->four);
    }
    asked.report.address = answer.addresses.empty() ? std::string(text_of(ResponseCode::no_error))
                                                    : to_text(answer.addresses.front());
    report(asked);
    return answer;
}

void Lookups::resolve(Asked asked, Done done) {
    if (outstanding_ >= kMostOutstanding) {
        asked.report.outcome = Outcome::failed;
        return done(refuse(std::move(asked), ResponseCode::server_failure,
                           "too many names are being looked up at once"));
    }
    if (!parts_.budget.admit(asked.question.name)) {
        asked.report.outcome = Outcome::denied;
        std::string reason = "too many names under " + NameBudget::domain_of(asked.question.name);
        return done(refuse(std::move(asked), ResponseCode::refused, std::move(reason)));
    }
    ++outstanding_;
    const std::string name = asked.question.name;
    parts_.resolver.resolve(name, [this, alive = std::weak_ptr(alive_), asked = std::move(asked),
                                   done = std::move(done)](const Addresses& found) {
        if (alive.expired()) return;
        --outstanding_;
        done(resolved(asked, found));
    });
}

DnsAnswer Lookups::resolved(Asked asked, const Addresses& found) {
    if (found.state == Addresses::State::found)
        return synthetic(std::move(asked), !found.four.empty(), !found.six.empty());
    asked.report.outcome = Outcome::failed;
    if (found.state == Addresses::State::no_such_name)
        return refuse(std::move(asked), ResponseCode::no_such_name, "there is no such name");
    return refuse(std::move(asked), ResponseCode::server_failure, found.why);
}

void Lookups::report(Asked& asked) {
    asked.report.duration_ns = parts_.now_ns() - asked.report.monotonic_ns;
    parts_.reports.add(std::move(asked.report));
}

}  // namespace reeve::egress
