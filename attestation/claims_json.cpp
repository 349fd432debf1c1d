#include "attestation/claims_json.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "attestation/jose/base64url.hpp"

namespace reeve::attestation {

using nlohmann::json;

namespace {

constexpr std::string_view kDevice = "device";
constexpr std::uint64_t kMaxInteger = (1ull << 53) - 1;  // what every reader of JSON keeps exact
constexpr std::size_t kMaxChecks = 128;
constexpr std::size_t kMaxText = 256;

bool is_word(std::string_view text, std::string_view also) {
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || also.find(c) != also.npos;
    });
}

bool is_sha256(std::string_view text) {
    return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_text(std::string_view text) {
    return !text.empty() && text.size() <= kMaxText;
}

std::unexpected<Error> wrong(const std::string& what) {
    return fail(Fault::kArgument, what);
}

Status check_one(const Check& check) {
    if (!is_word(check.area, "-") || !is_word(check.name, "-"))
        return wrong("the name of a check is not of [a-z0-9-]: " + check.key().substr(0, kMaxText));
    if (!check.reason.empty() && !is_word(check.reason, "_-"))
        return wrong("the reason of " + check.key() + " is not a word");
    if (check.outcome == Outcome::kNotRun && check.reason.empty())
        return wrong(check.key() + " was not run, and no reason is given");
    bool measured = check.outcome == Outcome::kSuccess || check.outcome == Outcome::kFail;
    if (measured && !check.collected) return wrong("no time of collection for " + check.key());
    return {};
}

json measurements(const std::vector<Check>& checks) {
    json areas = json::array();
    for (const Check& check : checks) {
        auto area = std::ranges::find_if(areas, [&](const json& a) { return a[0] == check.area; });
        if (area == areas.end()) area = areas.insert(areas.end(), json::array({check.area, json::array()}));
        (*area)[1].push_back(json::array({check.name, word(check.outcome)}));
    }
    return areas;
}

// Throws json::exception where a member is missing or of another type: from_json() turns that into a Fault.
void read_checks(const json& payload, Claims& claims) {
    const json& collected = payload.at("posture").at("collected");
    const json& reasons = payload.at("posture").at("reasons");
    for (const json& area : payload.at("measres")) {
        for (const json& result : area.at(1)) {
            Check check{.area = area.at(0).get<std::string>(), .name = result.at(0).get<std::string>()};
            auto said = outcome(result.at(1).get<std::string>());
            if (!said || result.size() != 2 || area.size() != 2) throw std::domain_error(check.key());
            check.outcome = *said;
            if (reasons.contains(check.key())) check.reason = reasons.at(check.key()).get<std::string>();
            check.collected = read_date(collected, check.key().c_str());
            if (collected.contains(check.key()) && !check.collected) throw std::domain_error(check.key());
            claims.checks.push_back(std::move(check));
        }
    }
}

void read_posture(const json& posture, Claims& claims) {
    claims.policy = posture.at("policy").get<std::string>();
    claims.policy_sha256 = posture.at("policy_sha256").get<std::string>();
    if (auto agent = posture.find("agent"); agent != posture.end())
        claims.agent = {agent->at("id").get<std::string>(), agent->at("sha256").get<std::string>(),
                        agent->at("trust").get<std::string>()};
    if (auto audit = posture.find("audit"); audit != posture.end()) {
        if (!audit->at("seq").is_number_unsigned()) throw std::domain_error("posture.audit.seq");
        claims.audit = {audit->at("seq").get<std::uint64_t>(), audit->at("chain").get<std::string>()};
    }
}

Claims read_all(const json& payload) {
    Claims claims;
    auto subject = payload.at("sub").get<std::string>();
    if (subject.empty()) throw std::domain_error("sub");
    if (subject != kDevice) claims.session = subject;
    auto seed = jose::from_base64url(payload.at("bootseed").get<std::string>());
    if (!seed) throw std::domain_error("bootseed");
    claims.boot_seed = *seed;
    if (!payload.at("uptime").is_number_unsigned()) throw std::domain_error("uptime");
    claims.uptime = payload.at("uptime").get<std::uint64_t>();
    if (payload.at("swname") != "reeve") throw std::domain_error("swname");
    claims.version = payload.at("swversion").at(0).get<std::string>();
    read_checks(payload, claims);
    read_posture(payload.at("posture"), claims);
    return claims;
}

}  // namespace

Status check(const Claims& claims) {
    if (claims.session == kDevice || claims.session.size() > kMaxText)
        return wrong("not the id of a session");
    if (claims.boot_seed.size() < 16 || claims.boot_seed.size() > 64)
        return wrong("the boot seed is not of 16 to 64 bytes");
    if (claims.uptime > kMaxInteger) return wrong("uptime is out of range");
    if (!is_text(claims.version)) return wrong("no version of Reeve");
    if (claims.checks.size() > kMaxChecks) return wrong("more than 128 checks");
    std::set<std::string> names;
    for (const Check& one : claims.checks) {
        if (auto good = check_one(one); !good) return good;
        if (!names.insert(one.key()).second) return wrong(one.key() + " is there twice");
    }
    if (!is_text(claims.policy)) return wrong("no name of the policy");
    if (!is_sha256(claims.policy_sha256))
        return wrong("the hash of the policy is not SHA-256 in lower-case hex");
    if (const auto& agent = claims.agent;
        agent && (!is_text(agent->id) || !is_sha256(agent->sha256) || !is_text(agent->trust)))
        return wrong("the agent's id, hash or trust is not of its form");
    if (const auto& audit = claims.audit; audit && (audit->seq > kMaxInteger || !is_sha256(audit->chain)))
        return wrong("the log's sequence number or chain is not of its form");
    return {};
}

json to_json(const Claims& claims) {
    json collected = json::object(), reasons = json::object();
    for (const Check& check : claims.checks) {
        if (check.collected) collected[check.key()] = write_date(*check.collected);
        if (!check.reason.empty()) reasons[check.key()] = check.reason;
    }
    json posture = {{"policy", claims.policy},
                    {"policy_sha256", claims.policy_sha256},
                    {"collected", std::move(collected)},
                    {"reasons", std::move(reasons)}};
    if (const auto& agent = claims.agent)
        posture["agent"] = {{"id", agent->id}, {"sha256", agent->sha256}, {"trust", agent->trust}};
    if (const auto& audit = claims.audit) posture["audit"] = {{"seq", audit->seq}, {"chain", audit->chain}};
    return {{"sub", claims.session.empty() ? kDevice : claims.session},
            {"bootseed", jose::base64url(claims.boot_seed)},
            {"uptime", claims.uptime},
            {"swname", "reeve"},
            {"swversion", json::array({claims.version})},
            {"measres", measurements(claims.checks)},
            {"posture", std::move(posture)}};
}

Result<Claims> from_json(const json& payload) {
    Claims claims;
    try {
        claims = read_all(payload);
    } catch (const json::exception&) {
        return fail(Fault::kMalformed, "a claim is missing or of another type");
    } catch (const std::domain_error& e) {
        return fail(Fault::kMalformed, std::string("not of its form: ") + e.what());
    }
    if (auto good = check(claims); !good) return fail(Fault::kMalformed, good.error().detail);
    return claims;
}

std::optional<Time> read_date(const json& value) {
    if (!value.is_number()) return {};
    double seconds = value.get<double>();
    if (!(seconds >= 0 && seconds < 253402300800.0)) return {};
    return Time(Time::duration(static_cast<std::int64_t>(std::floor(seconds * 1000))));
}

std::optional<Time> read_date(const json& object, const char* member) {
    auto it = object.find(member);
    return it == object.end() ? std::nullopt : read_date(*it);
}

std::int64_t write_date(Time time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace reeve::attestation
