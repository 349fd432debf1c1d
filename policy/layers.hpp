// Which documents count, and by whose authority.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/document.hpp"

namespace reeve::policy {

// All documents of one authority are one layer. The base layer is the organisation's if it has a document,
// else the vendor's: there, what no rule matches is denied. In every other layer it is neutral, so that such
// a layer can only tighten. A vendor document that is passed beside an organisation's counts as a layer of
// its own, and tightens; `extends: ["vendor"]` makes its rules (its allows too) count in the organisation's
// layer.
enum class Authority : std::uint8_t { vendor, organisation, device, user, run };
inline constexpr std::size_t kAuthorities = 5;
std::string_view name_of(Authority authority);

struct Layer {
    Authority authority = Authority::vendor;
    Document document;
};

// Values of ${home} and so on: literal bytes, whatever is in them. The three paths are absolute and resolved.
// A pattern that uses a variable without a value is a diagnostic.
struct Variables {
    std::string home;
    std::string workspace;
    std::string user;
    std::string session;
    std::string tmp;
};

}  // namespace reeve::policy
