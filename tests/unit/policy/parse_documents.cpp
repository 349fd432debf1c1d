// The parser for schema_test: its keys, and what it says of documents.
//
// usage: parse_documents --keys          one "definition key" a line
//        parse_documents --lines         for each line of the input, a document, "ok" or what is wrong
//        parse_documents FILE…           the same for each file, which warnings make wrong too
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "policy/document.hpp"

namespace {

using namespace reeve::policy;

void print_keys() {
    for (const auto& [definition, keys] : known_keys()) {
        for (const auto& key : keys) std::cout << definition << ' ' << key << '\n';
    }
}

std::string judge(const std::string& text, const std::string& name, bool warnings_count) {
    const auto document = parse_document(text, name);
    if (!document || (warnings_count && !document->warnings.empty())) {
        std::string said = to_string(document ? document->warnings : document.error());
        std::ranges::replace(said, '\n', ' ');
        return said;
    }
    return "ok";
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "";
    if (what == "--keys") {
        print_keys();
    } else if (what == "--lines") {
        for (std::string line; std::getline(std::cin, line);) std::cout << judge(line, "line", false) << '\n';
    } else {
        for (int i = 1; i < argc; ++i) {
            std::ostringstream text;
            text << std::ifstream(argv[i]).rdbuf();
            std::cout << judge(text.str(), argv[i], true) << '\n';
        }
    }
    return 0;
}
