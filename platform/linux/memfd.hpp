// Bytes in a file without a name, sealed: whoever holds the descriptor can trust that they will not change.
#pragma once

#include <string>
#include <string_view>

#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::platform {

Result<Fd> make_memfd(
    const char* name);   // empty, not yet sealed, not executable where the kernel can say so (6.3)
Status seal(int memfd);  // no more write, grow, shrink, and no more seals
Result<Fd> sealed_memfd(const char* name, std::string_view bytes);

// All of a memfd, whatever its offset. With `must_be_sealed`, an Error unless it is sealed as above.
Result<std::string> read_memfd(int memfd, bool must_be_sealed);

}  // namespace reeve::platform
