// Reading lines: any bytes are taken apart without harm, and what is found lies inside of the input.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "daemon/api/render_record.hpp"
#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/glob.hpp"
#include "daemon/audit/line.hpp"
#include "daemon/audit/query.hpp"
#include "daemon/audit/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reeve::audit;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto line = parse_line(text)) {
        if (line->body.size() + kChainTail != text.size()) std::abort();
    }
    if (const auto details = member(text, "details")) {
        if (details->data() < text.data() || details->data() + details->size() > text.data() + size)
            std::abort();
        (void)number_member(*details, "lost");
    }
    if (const auto jws = checkpoint_of(text)) (void)parse_checkpoint(untrusted_payload(*jws).value_or(""));
    (void)fits({.uid = 1000, .action = "file.*", .path = Glob::compile("/home/**/*.c").value()}, text);
    for (const unsigned char c : reeve::api::render_record(text)) {
        if (c < 0x20 || c == 0x7F) std::abort();
    }
    if (const auto glob = Glob::compile(text.substr(0, 200))) (void)glob->matches(text);
    std::string escaped = quoted(text);
    bool valid = true;
    std::string scratch(escaped_bound(size), '\0');
    escape(text, scratch.data(), &valid);
    if (valid && unescape(std::string_view(escaped).substr(1, escaped.size() - 2)) != text) std::abort();
    return 0;
}
