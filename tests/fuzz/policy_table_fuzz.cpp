// Table::open() on any bytes: refused with a reason, or a table that can be used without harm. A table that
// was changed in a text is still a table; its decisions still follow from its rules.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "policy/table.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace reeve::policy;
    std::vector<std::uint64_t> words(size / 8 + 1);
    if (size != 0) std::memcpy(words.data(), data, size);
    const std::span bytes(reinterpret_cast<const std::byte*>(words.data()), size);
    const auto table = Table::open(bytes);
    if (!table) {
        if (!table.error().starts_with("not a policy table: ")) std::abort();
        return 0;
    }
    std::uint64_t used = table->states() + table->policy_id().size() + static_cast<unsigned>(table->mode());
    // The input itself is a path as good as any.
    const std::string_view own(reinterpret_cast<const char*>(data), size < 4096 ? size : 4096);
    const std::string below = "/" + std::string(own.substr(0, own.find('\0')));
    for (const std::string_view path :
         {std::string_view("/"), std::string_view("/usr/bin/git"),
          std::string_view("/home/alice/work/.git/hooks/x"), std::string_view("/home/alice/work/a/.env"),
          std::string_view("/home/alice/.ssh/id"), own, std::string_view(below)}) {
        for (std::size_t a = 0; a < kFileActions; ++a) {
            const auto action = static_cast<FileAction>(a);
            const auto decision = table->decide(path, action);
            for (const char c : decision.rule) used += static_cast<unsigned char>(c);
            for (const char c : decision.reason) used += static_cast<unsigned char>(c);
            for (const char c : decision.label) used += static_cast<unsigned char>(c);
            if (decision.verdict != Verdict::deny && decision.decided_by != DecidedBy::rule) std::abort();
            const auto explanation = table->explain(path, action);
            if (explanation.decision.verdict != decision.verdict) std::abort();
            for (const auto& layer : explanation.layers) used += layer.rules.size();
        }
        used += table->same_below(path, "/usr") ? 1 : 0;
        if (is_resolved(path) && !table->same_below(path, path)) std::abort();
    }
    // So that none of the reading is optimised away.
    static volatile std::uint64_t sink = 0;
    sink = sink + used;
    return 0;
}
