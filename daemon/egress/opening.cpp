#include "daemon/egress/opening.hpp"

#include <algorithm>

#include "daemon/access/holes.hpp"
#include "policy/network.hpp"

namespace reeve::egress {
namespace {

using policy::Verify;

std::unexpected<platform::Error> mismatch(const std::string& host, std::string why) {
    return platform::error("hold a connection against its name", host, std::move(why));
}

bool same_name(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

Opening::Opening(Verify verify, std::string host, std::uint16_t port)
    : verify_(verify), host_(std::move(host)), port_(port), passed_(verify == Verify::address) {}

std::string_view Opening::protocol() const {
    if (!protocol_) return {};
    switch (*protocol_) {
        case Protocol::tls:
            return "tls";
        case Protocol::http:
            return "http";
        case Protocol::other:
            break;
    }
    return "other";
}

platform::Status Opening::feed(std::string_view more) {
    fed_ += more.size();
    if (protocol_) return feed_known(more);
    start_ += more;
    protocol_ = protocol_of(start_);
    if (!protocol_) return {};
    if (auto s = begin(); !s) return s;
    const std::string start = std::move(start_);
    return feed_known(start);
}

platform::Status Opening::begin() {
    if (*protocol_ == Protocol::tls) {
        reader_ = std::make_unique<HelloReader>();
        return {};
    }
    if (*protocol_ == Protocol::http && access::lacks("egress.host")) {
        released_ = fed_;
        passed_ = true;
        return {};
    }
    if (*protocol_ == Protocol::http && verify_ == Verify::name) {
        requests_ = std::make_unique<Requests>(host_, port_);
        return {};
    }
    return judge_other();
}

platform::Status Opening::feed_known(std::string_view more) {
    if (reader_) return feed_hello(more);
    if (requests_) return feed_requests(more);
    return {};
}

platform::Status Opening::feed_hello(std::string_view more) {
    auto hello = reader_->feed(more);
    if (!hello) return mismatch(host_, hello.error().why);
    if (!*hello) return {};
    hello_ = std::move(**hello);
    reader_.reset();
    if (auto s = judge_hello(); !s) return s;
    released_ = fed_;
    passed_ = true;
    return {};
}

platform::Status Opening::feed_requests(std::string_view more) {
    const auto released = requests_->feed(more);
    if (!released) return mismatch(host_, released.error().why);
    released_ = *released;
    passed_ = released_ != 0;
    return {};
}

platform::Status Opening::judge_hello() const {
    if (verify_ != Verify::name || access::lacks("egress.server_name")) return {};
    if (hello_.encrypted)
        return mismatch(host_,
                        "the TLS server name is encrypted (ECH), so that it cannot be held against " + host_);
    if (same_name(hello_.sni, host_)) return {};
    if (!hello_.sni.empty())
        return mismatch(host_, "the TLS server name is " + hello_.sni + " and not " + host_);
    if (policy::parse_address(host_)) return {};
    return mismatch(host_, "TLS names no server, so that nothing says that it is for " + host_);
}

platform::Status Opening::judge_other() const {
    const bool http = *protocol_ == Protocol::http;
    if (verify_ == Verify::tls)
        return mismatch(
            host_, http ? "it is HTTP where policy asks for TLS" : "it is not TLS, which policy asks for");
    return mismatch(host_, "it is neither TLS nor HTTP/1.1, so that nothing says that it is for " + host_);
}

platform::Status Opening::raise(Verify verify) {
    if (verify <= verify_) return {};
    const bool looked = verify_ != Verify::address;
    verify_ = verify;
    if (!looked) {
        passed_ = false;
        return {};
    }
    return passed_ ? judge_hello() : platform::Status();
}

}  // namespace reeve::egress
