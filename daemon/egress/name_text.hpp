// Host names as text: the one form in which they are compared, and whom they belong to.
#pragma once

#include <string>
#include <string_view>

namespace reeve::egress {

// In lower case and without a final dot.
std::string plain_name(std::string_view name);

// Labels of letters, digits, '-' and '_'. Whatever else DNS carries is no host, and would not survive in a rule.
bool is_host_text(std::string_view name);

// Whether the last label is a number, as of "10.0.0.1", "0x7f.1" and "1": programs read such names as addresses.
bool ends_in_number(std::string_view name);

// Whether `name` is `domain` or under it; both plain.
bool is_under(std::string_view name, std::string_view domain);

// "example.co.uk" of "www.example.co.uk" (the public suffix list); empty for an address, a public suffix, one label.
std::string registrable_domain(std::string_view name);

}  // namespace reeve::egress
