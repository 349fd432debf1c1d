// The doors with a server outside and all that connections share, over loopback; nothing is redirected: the test says what
// was asked for.
#pragma once

#include <optional>

#include "daemon/egress/acceptor.hpp"
#include "tests/unit/daemon/egress/network.hpp"

namespace reeve::test {

// Answers as it is told to, later than it is asked.
class ScriptedDecider final : public egress::Decider {
  public:
    std::uint64_t ask(const egress::Question& question,
                      std::function<void(const egress::Answer&)> answered) override {
        questions.push_back(question);
        waiting[++last] = std::move(answered);
        return last;
    }
    void cancel(std::uint64_t id) override { cancelled += waiting.erase(id); }
    void answer(const egress::Answer& answer) {
        const auto first = waiting.extract(waiting.begin());
        first.mapped()(answer);
    }
    std::vector<egress::Question> questions;
    std::map<std::uint64_t, std::function<void(const egress::Answer&)>> waiting;
    std::uint64_t last = 0;
    std::size_t cancelled = 0;
};

// A ClientHello as OpenSSL sends it; an empty name sends none.
std::string client_hello(const std::string& server_name);

class EgressScene : public testing::Test {
  protected:
    EgressScene();
    ~EgressScene() override;
    // Once, after `rules`, `limits` and the like were changed.
    void begin();
    // What asks for that name or address. The loop has it in hand when this returns.
    platform::Fd connect(const std::string& host, std::uint16_t port);
    // The last report, of so many.
    egress::Report report(std::size_t count = 1);
    bool all_quiet() {
        return loop_.on([] { return true; }) && !server_.somebody_waits();
    }

    LoopThread loop_;
    Listener server_;
    std::vector<policy::NetworkPolicy::Entry> rules_;
    policy::NetworkPolicy policy_;
    egress::Names names_;
    ScriptedResolver resolver_{loop_.loop()};
    ScriptedDecider decider_;
    egress::Grants grants_;
    egress::Budgets budgets_{0, 0};
    egress::Pipes pipes_;
    // The client's socket, as far as the kernel knows of it.
    platform::Result<std::uint64_t> inode_ = 7;
    egress::Unspoken::Limits limits_;
    std::size_t most_ = 4096;
    std::chrono::milliseconds ask_timeout_{60'000};
    std::optional<egress::Who> who_;
    std::optional<egress::Unspoken> unspoken_;
    std::optional<egress::Shared> shared_;
    std::optional<egress::Acceptor> acceptor_;
    egress::Endpoint door_;
    sockaddr_storage asked_{};
    platform::Fd keeper_;
    std::vector<egress::Report> reports_;
};

}  // namespace reeve::test
