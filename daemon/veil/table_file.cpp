#include "daemon/veil/table_file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <utility>

namespace reeve::veil {
namespace {
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK;
}

platform::Result<TableFile> TableFile::open(int memfd) {
    const auto wrong = [](std::string why) {
        return platform::error("take the policy", "", std::move(why), "restart reeved after an upgrade");
    };
    const int seals = ::fcntl(memfd, F_GET_SEALS);
    if (seals < 0 || (seals & kSeals) != kSeals) return wrong("it is not sealed");
    struct stat status {};
    if (::fstat(memfd, &status) != 0) return platform::os_error("take the policy", "");
    TableFile file;
    file.size_ = static_cast<std::size_t>(status.st_size);
    void* const memory = ::mmap(nullptr, file.size_, PROT_READ, MAP_SHARED, memfd, 0);
    if (memory == MAP_FAILED) return platform::os_error("take the policy", "");
    file.memory_ = memory;
    auto table = policy::Table::open({static_cast<const std::byte*>(memory), file.size_});
    if (!table) return wrong(table.error());
    file.table_ = *table;
    return file;
}

TableFile::TableFile(TableFile&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), size_(other.size_), table_(other.table_) {}

TableFile::~TableFile() {
    if (memory_ != nullptr) ::munmap(memory_, size_);
}

}  // namespace reeve::veil
