// JSON with comments as a tree of values that know where they stand, for documents that people write.
//
// Reads RFC 8259 JSON in UTF-8 (a byte order mark is skipped) with // and /* */ comments, and nothing looser:
// no trailing commas, no duplicate keys. What the values mean is for others to check. Numbers stay text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/report.hpp"

namespace reeve::policy {

struct JsonNode {
    enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
    Kind kind = Kind::null;
    bool truth = false;           // of a boolean
    Position at;                  // of the first character of the value
    std::string text;             // of a string, unescaped; of a number, as written
    std::vector<JsonNode> items;  // of an array; the values of an object, each with its key
    std::string key;
    Position key_at;
};

struct JsonBounds {
    std::size_t bytes, depth, nodes;
};

// Nothing if the text is not such JSON; then `report` says why. A duplicate key is reported and the reading
// goes on.
std::optional<JsonNode> read_json(std::string_view text, const JsonBounds& bounds, Report& report);

// "an object", "a string", … for messages.
std::string_view kind_name(JsonNode::Kind kind);

}  // namespace reeve::policy
