#include "tests/unit/daemon/egress/scene.hpp"

#include <fcntl.h>
#include <openssl/ssl.h>

#include "platform/linux/seqpacket.hpp"

namespace reeve::test {

using policy::Verdict;

std::string client_hello(const std::string& server_name) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                    &SSL_CTX_free);
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), &SSL_free);
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), out);
    if (!server_name.empty()) SSL_set_tlsext_host_name(ssl.get(), server_name.c_str());
    const unsigned char protocols[] = "\x02h2";
    SSL_set_alpn_protos(ssl.get(), protocols, 3);
    SSL_connect(ssl.get());
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(out, &bytes);
    return {bytes, static_cast<std::size_t>(size)};
}

EgressScene::EgressScene() {
    rules_ = {rule(Verdict::allow, {"allowed.example"}),
              rule(Verdict::allow, {"tls.example"}, policy::Verify::tls),
              rule(Verdict::allow, {"any.example"}, policy::Verify::address),
              rule(Verdict::ask, {"**.asked.example"}),
              rule(Verdict::deny, {"denied.example"}, policy::Verify::name, false)};
    for (const char* host : {"allowed.example", "tls.example", "any.example", "asked.example",
                             "www.asked.example", "mail.asked.example", "denied.example"})
        resolver_.found(host, {"127.0.0.1"});
}

EgressScene::~EgressScene() {
    loop_.on([this] {
        acceptor_.reset();
        shared_.reset();
        unspoken_.reset();
        who_.reset();
    });
}

void EgressScene::begin() {
    policy_ = policy::NetworkPolicy(rules_, policy::Authority::vendor);
    Listener door;
    door_ = door.endpoint();
    ::fcntl(door.fd(), F_SETFL, O_NONBLOCK);
    auto processes = platform::seqpacket_pair();
    keeper_ = std::move(processes->ours);
    loop_.on([&] {
        who_.emplace(loop_.loop(), std::move(processes->theirs),
                     [this](const egress::Ends&) { return inode_; });
        EXPECT_TRUE(who_->start());
        unspoken_.emplace(loop_.loop(), limits_);
        shared_.emplace(
            egress::Shared{.outside = {.loop = loop_.loop(), .policy = policy_, .resolver = resolver_},
                           .names = names_,
                           .decider = decider_,
                           .grants = grants_,
                           .budgets = budgets_,
                           .pipes = pipes_,
                           .who = *who_,
                           .unspoken = *unspoken_,
                           .report = [this](const egress::Report& report) { reports_.push_back(report); },
                           .ask_timeout = ask_timeout_});
        acceptor_.emplace(
            *shared_, std::array{door.release(), platform::Fd()},
            egress::Acceptor::Options{
                .most = most_,
                .destination = [this](int) -> platform::Result<sockaddr_storage> { return asked_; }});
        EXPECT_TRUE(acceptor_->on());
    });
}

platform::Fd EgressScene::connect(const std::string& host, std::uint16_t port) {
    std::uint64_t before = 0;
    loop_.on([&] {
        const auto literal = policy::parse_address(host);
        egress::fill({literal ? *literal : names_.addresses_of(host)->four, port}, asked_);
        before = acceptor_->taken();
    });
    platform::Fd client = connect_to(door_);
    EXPECT_TRUE(loop_.until([&] { return acceptor_->taken() > before; }));
    return client;
}

egress::Report EgressScene::report(std::size_t count) {
    EXPECT_TRUE(loop_.until([&] { return reports_.size() >= count; }));
    return loop_.on([&] { return reports_.size() >= count ? reports_[count - 1] : egress::Report{}; });
}

}  // namespace reeve::test
