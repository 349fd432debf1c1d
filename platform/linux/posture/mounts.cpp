// The parsers of /proc/self/mountinfo and /proc/swaps (proc(5)).
#include <algorithm>
#include <limits>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"

namespace reeve::platform::posture {
namespace {

// The kernel writes space, tab, newline and backslash as three octal digits (seq_file's mangle_path).
std::string unescape(std::string_view text) {
    const auto octal = [](char c) { return c >= '0' && c <= '7'; };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] <= '3' && octal(text[i + 1]) &&
            octal(text[i + 2]) && octal(text[i + 3])) {
            plain +=
                static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

Result<unsigned> device_number(std::string_view text) {
    const auto value = number("mountinfo", text);
    if (!value) return std::unexpected(value.error());
    if (*value > std::numeric_limits<unsigned>::max())
        return malformed("mountinfo", "a device number is too large");
    return static_cast<unsigned>(*value);
}

// 36 35 98:0 /root /point options [optional fields] - type source super-options
Result<Mount> parse_mount(std::string_view line) {
    Mount mount;
    auto rest = line;
    const auto id = number("mountinfo", next(rest, ' '));
    if (!id) return std::unexpected(id.error());
    mount.id = *id;
    next(rest, ' ');  // the parent
    auto device = next(rest, ' ');
    const auto major = device_number(next(device, ':')), minor = device_number(device);
    if (!major) return std::unexpected(major.error());
    if (!minor) return std::unexpected(minor.error());
    mount.major = *major;
    mount.minor = *minor;
    next(rest, ' ');  // the root within the file system
    mount.point = unescape(next(rest, ' '));
    next(rest, ' ');  // options of the mount
    while (!rest.empty() && next(rest, ' ') != "-") continue;
    mount.type = next(rest, ' ');
    mount.source = unescape(next(rest, ' '));
    if (!mount.point.starts_with('/') || mount.type.empty() || mount.source.empty())
        return malformed("mountinfo", "cut short: '" + printable(line) + "'");
    return mount;
}

}  // namespace

Result<std::vector<Mount>> parse_mountinfo(std::string_view text) {
    std::vector<Mount> mounts;
    while (!text.empty()) {
        auto mount = parse_mount(next(text, '\n'));
        if (!mount) return std::unexpected(mount.error());
        mounts.push_back(std::move(*mount));
    }
    if (mounts.empty()) return malformed("mountinfo", "it is empty");
    return mounts;
}

Result<std::vector<std::string>> parse_swaps(std::string_view text) {
    if (!next(text, '\n').starts_with("Filename")) return malformed("/proc/swaps", "its heading is missing");
    std::vector<std::string> names;
    while (!text.empty()) {
        const auto line = next(text, '\n');
        const auto end = std::min(line.find(' '), line.find('\t'));
        if (!line.starts_with('/') || end == std::string_view::npos)
            return malformed("/proc/swaps", "cut short: '" + printable(line) + "'");
        names.push_back(unescape(line.substr(0, end)));
    }
    return names;
}

}  // namespace reeve::platform::posture
