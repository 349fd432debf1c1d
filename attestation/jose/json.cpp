#include "attestation/jose/json.hpp"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <vector>

namespace reeve::attestation::jose {

namespace {

using nlohmann::json;

// Watches the library's parser from its callback, which is called for each brace and name, and stops it by an
// exception.
class Strictness {
  public:
    bool operator()(int, json::parse_event_t event, const json& value) {
        switch (event) {
            case json::parse_event_t::object_start:
            case json::parse_event_t::array_start:
                if (names_.size() == kMaxDepth) throw std::runtime_error("nested too deeply");
                names_.emplace_back();
                break;
            case json::parse_event_t::object_end:
            case json::parse_event_t::array_end:
                names_.pop_back();
                break;
            case json::parse_event_t::key:
                if (!names_.back().insert(value.get_ref<const std::string&>()).second)
                    throw std::runtime_error("a member is named twice");
                break;
            case json::parse_event_t::value:
                break;
        }
        return true;
    }

  private:
    std::vector<std::set<std::string>> names_;
};

}  // namespace

Result<json> parse_object(std::string_view text, std::size_t max_size) {
    if (text.size() > max_size)
        return fail(Fault::kTooLarge, "JSON of " + std::to_string(text.size()) + " bytes");
    // The library takes a NUL byte for the end of the text, and skips a byte order mark.
    if (text.find('\0') != text.npos) return fail(Fault::kMalformed, "JSON with a NUL byte");
    if (text.starts_with('\xef')) return fail(Fault::kMalformed, "JSON with a byte order mark");
    try {
        // A reference: the library copies what it is handed, and the state must be one.
        Strictness strictness;
        json value = json::parse(text, std::ref(strictness));
        if (!value.is_object()) return fail(Fault::kMalformed, "JSON that is not an object");
        return value;
    } catch (const json::exception& e) {
        return fail(Fault::kMalformed,
                    "not JSON, at byte " + std::to_string(dynamic_cast<const json::parse_error*>(&e)
                                                              ? static_cast<const json::parse_error&>(e).byte
                                                              : 0));
    } catch (const std::runtime_error& e) {
        return fail(Fault::kMalformed, e.what());
    }
}

}  // namespace reeve::attestation::jose
