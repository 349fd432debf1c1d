// Short ways to a parsed document, or to what is wrong with it, for tests.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "policy/document.hpp"

namespace reeve::policy {

// A document that must be in order.
inline Document parsed(std::string_view text) {
    auto document = parse_document(text, "test.jsonc");
    if (document) return std::move(*document);
    ADD_FAILURE() << to_string(document.error());
    return {};
}

// A document with these members beside schema and id.
inline std::string document_with(std::string_view members) {
    return R"({"schema": "reeve.policy/1", "id": "acme", )" + std::string(members) + "}";
}
inline Document parsed_with(std::string_view members) {
    return parsed(document_with(members));
}

// What is wrong, one a line; "" if nothing is.
inline std::string faults(std::string_view text) {
    const auto document = parse_document(text, "f");
    return document ? "" : to_string(document.error());
}
// The same for document_with(), without the place.
inline std::string faults_with(std::string_view members) {
    const auto document = parse_document(document_with(members), "f");
    if (document) return "";
    std::string all;
    for (const auto& fault : document.error()) {
        all += (all.empty() ? "" : "\n") + fault.message + (fault.hint.empty() ? "" : "; " + fault.hint);
    }
    return all;
}

}  // namespace reeve::policy
