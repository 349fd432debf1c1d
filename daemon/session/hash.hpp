// The ways to trust a file that trust.hpp lists, one by one.
#pragma once

#include <string>
#include <string_view>

#include "daemon/session/trust.hpp"
#include "platform/fd.hpp"
#include "platform/result.hpp"

namespace reeve::session {

enum class Hash { kSha256, kMd5 };

// Of the whole file, in lower-case hex. The file's offset does not matter.
platform::Result<std::string> file_hash(const platform::Fd& file, Hash hash);

// SHA-256 of bytes, in lower-case hex.
platform::Result<std::string> text_hash(std::string_view bytes);

// "package" if Debian's `package` owns the path and its md5sums list has this content. MD5 is what Debian has: it says
// that the file is the package's, and that root alone could write it stands apart from it.
platform::Result<std::string> check_package(const Executable& file, const std::string& package,
                                            const std::string& root = "/var/lib/dpkg");

// "signer" if FILE.p7s is a detached CMS signature (DER or PEM) of the content by the certificate's key.
platform::Result<std::string> check_signature(const Executable& file, const std::string& certificate);

}  // namespace reeve::session
