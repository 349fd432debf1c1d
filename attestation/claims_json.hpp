// Claims to JSON and back, with one check for both ways. For the .cpp files of attestation/ alone.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "attestation/evidence.hpp"

namespace reeve::attestation {

// Every claim within its bounds; kArgument names the first that is not.
Status check(const Claims& claims);

// Only the members that Claims hold: "sub", "bootseed", "uptime", "swname", "swversion", "measres",
// "posture".
nlohmann::json to_json(const Claims& claims);

// The way back, from a payload whose signature is verified. Unknown members are left alone; FORMATS grows by
// adding.
Result<Claims> from_json(const nlohmann::json& payload);

// A NumericDate (RFC 7519 section 2), fractions included, from 1970 to the end of the year 9999.
std::optional<Time> read_date(const nlohmann::json& value);
std::optional<Time> read_date(const nlohmann::json& object, const char* member);

// Whole seconds since 1970, rounded down.
std::int64_t write_date(Time time);

}  // namespace reeve::attestation
