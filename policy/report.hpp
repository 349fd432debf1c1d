// What is wrong with one text, collected while it is read, and the words to say it with.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/diagnostic.hpp"

namespace reeve::policy {

// Up to kMaxDiagnostics of each kind; says so when there was more.
class Report {
  public:
    explicit Report(std::string file) : file_(std::move(file)) {}
    void error(Position at, std::string message, std::string hint = "");
    void warning(Position at, std::string message, std::string hint = "");
    bool failed() const { return !errors_.empty(); }
    bool full() const;  // further errors are not kept
    const std::string& file() const { return file_; }

    // In order of place.
    static std::vector<Diagnostic> sorted(std::vector<Diagnostic> list);
    std::vector<Diagnostic> errors() const { return sorted(errors_); }
    std::vector<Diagnostic> warnings() const { return sorted(warnings_); }

  private:
    static void add(std::vector<Diagnostic>& list, Diagnostic diagnostic);

    std::string file_;
    std::vector<Diagnostic> errors_, warnings_;
};

// The text in double quotes, made safe for a terminal, and cut where it is long. Bytes that are not UTF-8
// become U+FFFD.
std::string in_quotes(std::string_view text);

// The word that is nearest to `text`, or "" if none is near.
std::string_view nearest(std::string_view text, const std::vector<std::string_view>& words);

// `did you mean "x"?`, or "known here: a, b, c" where no word is near.
std::string suggestion(std::string_view text, const std::vector<std::string_view>& words);

}  // namespace reeve::policy
