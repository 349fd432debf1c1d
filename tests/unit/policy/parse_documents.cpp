// The parsers for schema_test: their keys, and what they say of documents.
//
// usage: parse_documents policy|policy-test --keys         one "definition key" a line
//        parse_documents policy|policy-test --lines        for each line of the input, a document, "ok" or what is
//                                                          wrong
//        parse_documents policy|policy-test --files FILE…  the same for each file; warnings make it wrong too
#include <algorithm>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "policy/document.hpp"
#include "policy/test_file.hpp"

namespace {

using namespace reeve::policy;

std::string on_one_line(std::string said) {
    std::ranges::replace(said, '\n', ' ');
    return said;
}

std::string judge_policy(const std::string& text, const std::string& name, bool warnings_count) {
    const auto document = parse_document(text, name);
    if (!document) return on_one_line(to_string(document.error()));
    return warnings_count && !document->warnings.empty() ? on_one_line(to_string(document->warnings)) : "ok";
}

// Every layer is one that denies all: which layers there are is not what is looked at.
std::string judge_test(const std::string& text, const std::string& name, bool /*warnings_count*/) {
    const auto read_layer = [](const std::string&) -> std::expected<std::string, std::string> {
        return R"({"schema": "reeve.policy/1", "id": "empty"})";
    };
    const auto results = run_test_file(text, name, read_layer);
    return results ? "ok" : on_one_line(to_string(results.error()));
}

void print_keys() {
    for (const auto& [definition, keys] : known_keys()) {
        for (const auto& key : keys) std::cout << definition << ' ' << key << '\n';
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const bool is_policy = std::string_view(argv[1]) == "policy";
    const std::string_view what = argv[2];
    const auto judge = is_policy ? judge_policy : judge_test;
    if (what == "--keys") {
        if (is_policy) print_keys();
    } else if (what == "--lines") {
        for (std::string line; std::getline(std::cin, line);) std::cout << judge(line, "line", false) << '\n';
    } else {
        for (int i = 3; i < argc; ++i) {
            std::ostringstream text;
            text << std::ifstream(argv[i]).rdbuf();
            std::cout << judge(text.str(), argv[i], true) << '\n';
        }
    }
    return 0;
}
