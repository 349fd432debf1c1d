// HTTP requests: what is passed on is, also for Boost.Beast, a row of requests that all are for the one host, whatever the
// pieces that it comes in.
#include <algorithm>
#include <boost/beast/http.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>

#include "daemon/egress/first_bytes.hpp"

namespace {

namespace http = boost::beast::http;
using namespace reeve::egress;

struct Passed {
    std::uint64_t bytes = 0;
    bool error = false;
    bool operator==(const Passed&) const = default;
};

Passed pass(std::string_view bytes, std::size_t piece) {
    Requests requests("a.example", 80);
    Passed passed;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size()))) {
        const auto upto = requests.feed(bytes.substr(0, piece));
        if (!upto) return {passed.bytes, true};
        if (*upto < passed.bytes) std::abort();
        passed.bytes = *upto;
    }
    return passed;
}

bool is_the_host(boost::beast::string_view host) {
    for (const char* one : {"a.example", "a.example.", "a.example:80", "a.example.:80"})
        if (boost::beast::iequals(host, one)) return true;
    return false;
}

// Beast checks the list of Connection, and adds up chunks: faults that say nothing about where a request ends.
bool is_about_other_things(boost::beast::error_code code) {
    return code == http::error::bad_value || code == http::error::body_limit;
}

void hold_against_beast(std::string_view bytes) {
    while (!bytes.empty()) {
        http::request_parser<http::string_body> parser;
        parser.eager(true);
        parser.header_limit(std::uint32_t{128} << 10);
        // No limit at all refuses every length (1.74 compares it with an empty optional).
        parser.body_limit(std::numeric_limits<std::uint64_t>::max());
        boost::beast::error_code code;
        const auto taken = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), code);
        if (is_about_other_things(code)) return;
        // string_body cannot hold what a Content-Length may say.
        if (code == http::error::buffer_overflow || code == http::error::body_limit) return;
        if (code && code != http::error::need_more) std::abort();
        if (!parser.is_header_done()) std::abort();  // a head is passed whole or not at all
        if (parser.get().count(http::field::host) != 1 || !is_the_host(parser.get()[http::field::host]))
            std::abort();
        if (!parser.is_done()) return;  // the end of what was passed is within its body
        bytes.remove_prefix(taken);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), std::min(size, std::size_t{64} << 10));
    if (bytes.empty()) return 0;
    const Passed single = pass(bytes, 1);
    if (pass(bytes, bytes.size()).error != single.error) std::abort();
    if (pass(bytes, 7).bytes > single.bytes) std::abort();
    hold_against_beast(bytes.substr(0, single.bytes));
    return 0;
}
