// What is wrong with a policy document, and where: made to be shown to the person who wrote it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reeve::policy {

// A place in a document. Lines and columns count from 1; columns count characters, not bytes. 0 means "the
// whole file".
struct Position {
    std::uint32_t line = 0;
    std::uint32_t column = 0;
};

enum class Severity : std::uint8_t { error, warning };

struct Diagnostic {
    std::string file;  // as it was given to parse_document()
    Position at;
    std::string message;  // what is wrong, and what was expected
    std::string hint;     // what to do, or the nearest known word; may be empty
    Severity severity = Severity::error;
};

// "file:line:column: message; hint", one line; warnings say "warning: " before the message.
std::string to_string(const Diagnostic& diagnostic);

// All of them, one a line, without a final newline.
std::string to_string(const std::vector<Diagnostic>& diagnostics);

}  // namespace reeve::policy
