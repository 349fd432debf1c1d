// The policy's table, mapped from the memfd that reeved made.
#pragma once

#include <cstddef>

#include "platform/result.hpp"
#include "policy/table.hpp"

namespace reeve::veil {

// Lives as long as the table that it holds is used.
class TableFile {
  public:
    // An Error unless the file is sealed and what it holds is a table.
    static platform::Result<TableFile> open(int memfd);
    TableFile(TableFile&& other) noexcept;
    TableFile& operator=(TableFile&&) = delete;
    ~TableFile();

    const policy::Table& table() const { return table_; }

  private:
    TableFile() = default;
    void* memory_ = nullptr;
    std::size_t size_ = 0;
    policy::Table table_;
};

}  // namespace reeve::veil
