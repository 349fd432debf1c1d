#include "daemon/audit/encode.hpp"

#include <charconv>
#include <chrono>
#include <cstring>

#include "daemon/audit/text.hpp"

namespace reeve::audit {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// 0000-01-01 and 9999-12-31 23:59:59, in seconds since 1970: what four digits of a year can say.
constexpr std::int64_t kFirstSecond = -62'167'219'200, kLastSecond = 253'402'300'799;

char* put(std::string_view text, char* out) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

template <class Integer>
char* put_number(Integer value, char* out) {
    return std::to_chars(out, out + 20, value).ptr;
}

char* put_digits(std::uint32_t value, int digits, char* out) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
    return out + digits;
}

char* put_second(std::int64_t second, char* out) {
    using namespace std::chrono;
    const sys_seconds time{seconds(second)};
    const sys_days day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(time - day);
    out = put_digits(static_cast<std::uint32_t>(static_cast<int>(date.year())), 4, out);
    *out++ = '-';
    out = put_digits(static_cast<unsigned>(date.month()), 2, out);
    *out++ = '-';
    out = put_digits(static_cast<unsigned>(date.day()), 2, out);
    *out++ = 'T';
    out = put_digits(static_cast<std::uint32_t>(clock.hours().count()), 2, out);
    *out++ = ':';
    out = put_digits(static_cast<std::uint32_t>(clock.minutes().count()), 2, out);
    *out++ = ':';
    out = put_digits(static_cast<std::uint32_t>(clock.seconds().count()), 2, out);
    *out++ = '.';
    return out;
}

struct Time {
    std::int64_t second;
    std::uint32_t microsecond;
};

Time split(std::int64_t realtime_ns) {
    std::int64_t second = realtime_ns / kSecond, rest = realtime_ns % kSecond;
    if (rest < 0) --second, rest += kSecond;
    if (second < kFirstSecond) return {kFirstSecond, 0};
    if (second > kLastSecond) return {kLastSecond, 999'999};
    return {second, static_cast<std::uint32_t>(rest / 1000)};
}

char* put_hex(std::uint64_t value, char* out) {
    for (int i = 15; i >= 0; --i, value >>= 4) out[i] = "0123456789abcdef"[value & 15];
    return out + 16;
}

// More than the longest sum of all fixed texts, words and numbers of a line.
constexpr std::size_t kFixedBound = 1024;

std::size_t bound(const Record& record) {
    std::size_t bytes = kFixedBound +
                        escaped_bound(record.trace_id.size() + record.rule.size() + record.grant.size()) +
                        member_bound(8, record.resource.size());
    if (record.credential) bytes += escaped_bound(record.credential->type.size());
    for (const Detail& detail : record.details) {
        const auto* text = std::get_if<std::string_view>(&detail.value);
        bytes += 32 + member_bound(detail.key.size(), text != nullptr ? text->size() : 0);
    }
    return bytes;
}

// "name":"word" with a comma before it unless it opens the object.
char* put_word(std::string_view name, std::string_view value, char* out, bool& first) {
    if (value.empty()) return out;
    if (!std::exchange(first, false)) *out++ = ',';
    out = put(name, out);
    out = escape(value, out);
    *out++ = '"';
    return out;
}

char* put_evaluation(const Record& record, std::string_view policy, char* out) {
    if (record.decision == Decision::kNone && record.rule.empty()) return out;
    out = put(",\"policy_evaluation\":{", out);
    out = put(policy, out);
    bool first = policy.empty();
    out = put_word("\"rule\":\"", record.rule, out, first);
    out = put_word("\"decision\":\"", word(record.decision), out, first);
    out = put_word("\"grant\":\"", record.grant, out, first);
    out = put_word("\"decided_by\":\"", word(record.decided_by), out, first);
    *out++ = '}';
    return out;
}

char* put_credential(const Credential& credential, char* out) {
    out = put(",\"credentials\":{\"type\":\"", out);
    out = escape(credential.type, out);
    out = put("\",\"ttl_seconds\":", out);
    out = put_number(credential.ttl_seconds, out);
    *out++ = '}';
    return out;
}

// ,"key":value
struct PutDetail {
    std::string_view key;
    char* out;
    char* name() const {
        char* end = put(",\"", out);
        end = put(key, end);
        return put("\":", end);
    }
    char* operator()(std::string_view text) const { return put_member(key, text, out); }
    char* operator()(bool value) const { return put(value ? "true" : "false", name()); }
    char* operator()(std::int64_t value) const { return put_number(value, name()); }
    char* operator()(std::uint64_t value) const { return put_number(value, name()); }
};

char* put_details(std::span<const Detail> details, char* out) {
    if (details.empty()) return out;
    out = put(",\"details\":", out);
    char* const open = out;
    for (const Detail& detail : details) out = std::visit(PutDetail{detail.key, out}, detail.value);
    *open = '{';  // where the first comma stands
    *out++ = '}';
    return out;
}

}  // namespace

std::string timestamp(std::int64_t realtime_ns) {
    const Time time = split(realtime_ns);
    std::string text(kTimestampSize, 'Z');
    put_digits(time.microsecond, 6, put_second(time.second, text.data()));
    return text;
}

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
    using namespace std::chrono;
    constexpr std::string_view kForm = "0000-00-00T00:00:00.000000Z";
    if (text.size() != kForm.size()) return std::nullopt;
    for (std::size_t i = 0; i < kForm.size(); ++i) {
        if (kForm[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != kForm[i]) return std::nullopt;
    }
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = 0;
        for (const char c : text.substr(at, digits)) value = value * 10 + (c - '0');
        return value;
    };
    const year_month_day date{year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                              day(static_cast<unsigned>(number(8, 2)))};
    if (!date.ok() || number(11, 2) > 23 || number(14, 2) > 59 || number(17, 2) > 60) return std::nullopt;
    const sys_seconds time =
        sys_days(date) + hours(number(11, 2)) + minutes(number(14, 2)) + seconds(number(17, 2));
    // Outside of these years the nanoseconds do not fit: the nearest that do.
    const std::int64_t second =
        std::clamp<std::int64_t>(time.time_since_epoch().count(), -9'000'000'000, 9'000'000'000);
    return second * kSecond + number(20, 6) * 1000LL;
}

Encoder::Encoder(std::string_view boot_id, const SessionFacts& self) : self_(self) {
    if (!boot_id.empty()) boot_ = ",\"boot_id\":" + quoted(boot_id);
}

char* Encoder::put_timestamp(std::int64_t realtime_ns, char* out) {
    const Time time = split(realtime_ns);
    if (time.second != second_) {
        second_ = time.second;
        put_second(second_, second_text_);
    }
    out = put({second_text_, sizeof second_text_}, out);
    out = put_digits(time.microsecond, 6, out);
    *out++ = 'Z';
    return out;
}

void Encoder::encode(const Record& record, std::uint64_t seq, Buffer& buffer) {
    const SessionContext& session = record.session != nullptr ? *record.session : self_;
    const std::string_view process = record.process != nullptr ? std::string_view(record.process->json_) : "";
    char* out =
        buffer.room(bound(record) + boot_.size() + session.trace_.size() + session.session_.size() +
                    session.actor_.size() + session.policy_.size() + session.model_.size() + process.size());
    out = put("{\"schema\":\"reeve.audit/1\",\"seq\":", out);
    out = put_number(seq, out);
    out = put(",\"timestamp\":\"", out);
    out = put_timestamp(record.realtime_ns, out);
    out = put("\",\"monotonic_ns\":", out);
    out = put_number(record.monotonic_ns, out);
    out = put(boot_, out);
    out = record.trace_id.empty() ? put(session.trace_, out) : put_member("trace_id", record.trace_id, out);
    if (record.span_id != 0) {
        out = put(",\"span_id\":\"", out);
        out = put_hex(record.span_id, out);
        *out++ = '"';
    }
    out = put(session.session_, out);
    if (!session.actor_.empty() || !process.empty()) {
        out = put(",\"actor\":{", out);
        out = put(session.actor_, out);
        if (!session.actor_.empty() && !process.empty()) *out++ = ',';
        out = put(process, out);
        *out++ = '}';
    }
    out = put(",\"action\":\"", out);
    out = put(word(record.action), out);
    *out++ = '"';
    if (!record.resource.empty()) out = put_member("resource", record.resource, out);
    if (record.resource_type != ResourceType::kNone) {
        out = put(",\"resource_type\":\"", out);
        out = put(word(record.resource_type), out);
        *out++ = '"';
    }
    out = put(",\"count\":", out);
    out = put_number(record.count, out);
    if (record.outcome != Outcome::kNone) {
        out = put(",\"outcome\":\"", out);
        out = put(word(record.outcome), out);
        *out++ = '"';
    }
    out = put_evaluation(record, session.policy_, out);
    if (record.credential) out = put_credential(*record.credential, out);
    out = put(session.model_, out);
    out = put_details(record.details, out);
    buffer.commit(out);
}

}  // namespace reeve::audit
