#include "daemon/audit/checkpoint.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "daemon/audit/line.hpp"
#include "daemon/audit/text.hpp"
#include "platform/fd.hpp"

namespace reeve::audit {
namespace {

using platform::Fd;
using platform::os_error;

constexpr const char* kName = "audit-checkpoint.jws";
constexpr const char* kNewName = "audit-checkpoint.jws.new";
constexpr std::size_t kMaxCompact = 8192;

}  // namespace

std::string checkpoint_payload(const CheckpointClaims& claims) {
    std::string payload = "{\"seq\":" + std::to_string(claims.seq) + ",\"chain\":\"" + hex(claims.chain) +
                          "\",\"time\":" + std::to_string(claims.time);
    if (!claims.previous_checkpoint.empty()) {
        payload += ",\"previous_checkpoint\":\"" + claims.previous_checkpoint + "\"";
    }
    if (claims.removed_through) payload += ",\"removed_through\":" + std::to_string(*claims.removed_through);
    return payload + "}";
}

std::optional<CheckpointClaims> parse_checkpoint(std::string_view payload) {
    const auto seq = number_member(payload, "seq"), time = number_member(payload, "time");
    const auto chain = from_hex(text_member(payload, "chain").value_or(""));
    if (!seq || !time || !chain) return std::nullopt;
    return CheckpointClaims{.seq = *seq,
                            .chain = *chain,
                            .time = static_cast<std::int64_t>(*time),
                            .previous_checkpoint = text_member(payload, "previous_checkpoint").value_or(""),
                            .removed_through = number_member(payload, "removed_through")};
}

std::optional<std::string> untrusted_payload(std::string_view compact) {
    const std::size_t first = compact.find('.');
    const std::size_t second = first == std::string_view::npos ? first : compact.find('.', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    std::string part(compact.substr(first + 1, second - first - 1));
    for (char& c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
    part.append((4 - part.size() % 4) % 4, '=');
    std::string payload = from_base64(part);
    if (payload.empty()) return std::nullopt;
    return payload;
}

std::string checkpoint_hash(std::string_view compact) {
    return hex(sha256(compact));
}

std::optional<std::string> checkpoint_of(std::string_view line) {
    // Quotes inside strings are escaped, so that this can only be a member; the scan below is for those few
    // lines.
    if (line.find("\"action\":\"audit.checkpoint\"") == std::string_view::npos) return std::nullopt;
    if (text_member(line, "action") != "audit.checkpoint") return std::nullopt;
    return text_member(member(line, "details").value_or(""), "jws");
}

platform::Status store_checkpoint(int state, const std::string& compact) {
    const Fd file(::openat(state, kNewName, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return os_error("store the audit checkpoint", kNewName);
    const ssize_t wrote = ::write(file.get(), compact.data(), compact.size());
    if (wrote >= 0 && static_cast<std::size_t>(wrote) != compact.size()) errno = ENOSPC;
    if (wrote != static_cast<ssize_t>(compact.size()) || ::fsync(file.get()) != 0 ||
        ::renameat(state, kNewName, state, kName) != 0 || ::fsync(state) != 0) {
        return os_error("store the audit checkpoint", kName);
    }
    return {};
}

platform::Result<std::optional<std::string>> load_checkpoint(int state) {
    const Fd file(::openat(state, kName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!file && errno == ENOENT) return std::nullopt;
    if (!file) return os_error("read the audit checkpoint", kName);
    std::string text(kMaxCompact, '\0');
    const ssize_t got = ::read(file.get(), text.data(), text.size());
    if (got < 0) return os_error("read the audit checkpoint", kName);
    text.resize(static_cast<std::size_t>(got));
    return text;
}

}  // namespace reeve::audit
