// Columns for people. What stands in a cell is made safe for a terminal: much of it comes from inside a
// session.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reeve::client {

class Table {
  public:
    explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
    void add(std::vector<std::string> row);  // as many cells as the head has
    bool empty() const { return rows_.empty(); }

    // The head and the rows, columns two spaces apart; the last one is not padded.
    std::string text() const;

  private:
    std::vector<std::string> head_;
    std::vector<std::vector<std::string>> rows_;
};

// Characters (code points) of UTF-8.
std::size_t width_of(std::string_view text);

}  // namespace reeve::client
