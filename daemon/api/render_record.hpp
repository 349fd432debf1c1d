// One audit record (a JSON line as `reeve log --json` prints it) as one line for people:
//
//   2026-11-23 19:02:11.483  denied   file.read        /home/alice/.ssh/id_ed25519  node[4711]  acme/files/4
//
// Safe for a terminal: control characters and what turns writing direction around are shown as escapes.
#pragma once

#include <string>
#include <string_view>

namespace reeve::api {

// Times are in the local time zone. A line that is no record is shown as it is, escaped.
std::string render_record(std::string_view line);

// `text` with each control character, DEL, bidirectional control, line separator and bad byte of UTF-8 as \n,
// \x1b or \u{202e}.
std::string terminal_safe(std::string_view text);

}  // namespace reeve::api
