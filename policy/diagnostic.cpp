#include "policy/diagnostic.hpp"

namespace reeve::policy {

std::string to_string(const Diagnostic& diagnostic) {
    std::string line = diagnostic.file;
    if (diagnostic.at.line != 0) {
        line += ":" + std::to_string(diagnostic.at.line) + ":" + std::to_string(diagnostic.at.column);
    }
    line += diagnostic.severity == Severity::warning ? ": warning: " : ": ";
    line += diagnostic.message;
    if (!diagnostic.hint.empty()) line += "; " + diagnostic.hint;
    return line;
}

std::string to_string(const std::vector<Diagnostic>& diagnostics) {
    std::string lines;
    for (const auto& diagnostic : diagnostics) {
        if (!lines.empty()) lines += '\n';
        lines += to_string(diagnostic);
    }
    return lines;
}

}  // namespace reeve::policy
