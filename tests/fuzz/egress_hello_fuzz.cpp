// ClientHellos: any bytes end in a name, an error or a wait for more, and in how many pieces they come makes no difference.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/egress/first_bytes.hpp"

namespace {

using namespace reeve::egress;

constexpr std::size_t kMost = std::size_t{64} << 10;  // beyond it the pieces do count

std::string read(std::string_view bytes, std::size_t piece) {
    HelloReader reader;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const auto said = reader.feed(bytes.substr(0, piece));
        if (!said) return "error";
        if (!*said) continue;
        if ((*said)->sni.find('\0') != std::string::npos) std::abort();
        return (*said)->sni + " " + (*said)->alpn + ((*said)->encrypted ? " ech" : "");
    }
    return "more";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, kMost));
    if (bytes.empty()) return 0;
    const std::size_t piece = 1 + static_cast<unsigned char>(bytes.back());
    const std::string whole = read(bytes, bytes.size());
    if (read(bytes, piece) != whole) std::abort();
    // Whoever is taken for something else cannot have said a hello.
    const auto protocol = protocol_of(bytes);
    if (protocol && *protocol != Protocol::tls && whole != "error" && whole != "more") std::abort();
    return 0;
}
