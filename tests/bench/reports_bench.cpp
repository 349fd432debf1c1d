// What a report costs: the one who makes it, who waits for nothing else, and the watch, which makes a record of it.
#include <benchmark/benchmark.h>

#include <string>
#include <thread>
#include <vector>

#include "daemon/access/reporter.hpp"
#include "daemon/audit/encode.hpp"
#include "daemon/audit/pipeline.hpp"
#include "platform/linux/seqpacket.hpp"

namespace {

namespace access = reeve::access;
namespace audit = reeve::audit;
namespace policy = reeve::policy;

access::Report denied(std::string_view path) {
    return {.pid = 0x7fff'fff0,
            .start_ns = 81'230'000'000,
            .parent = 4702,
            .exe = "/usr/bin/git",
            .action = policy::FileAction::create,
            .verdict = policy::Verdict::deny,
            .by_rule = true,
            .error = EACCES,
            .operation = "open",
            .path = path,
            .rule = "vendor/agent-settings"};
}

std::vector<std::string> paths(std::size_t count) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < count; ++i)
        all.push_back("/home/alice/work/project/source/folder/" + std::to_string(i));
    return all;
}

// Reads what is sent and does nothing with it.
class Drain {
  public:
    explicit Drain(reeve::platform::Fd socket)
        : socket_(std::move(socket)), thread_([this] {
              for (;;) {
                  const auto packet = reeve::platform::receive_packet(socket_.get());
                  if (!packet || packet->end || packet->bytes == access::kNoMore) return;
              }
          }) {}
    ~Drain() { thread_.join(); }

  private:
    reeve::platform::Fd socket_;
    std::thread thread_;
};

// Arg: how many different accesses come in turn. With more than fit into a packet, none is a repeat.
void add(benchmark::State& state) {
    auto pair = reeve::platform::seqpacket_pair().value();
    const Drain drain(std::move(pair.ours));
    access::Reporter reporter(std::move(pair.theirs));
    const auto all = paths(static_cast<std::size_t>(state.range(0)));
    std::size_t i = 0;
    for (auto _ : state) {
        if (!reporter.add(denied(all[i]))) state.SkipWithError("it takes nothing");
        if (++i == all.size()) i = 0;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(add)->Arg(1)->Arg(100)->Arg(100'000)->UseRealTime();

class EncodingSink final : public audit::Sink {
  public:
    std::size_t append(std::span<const audit::Record> records) override {
        for (const audit::Record& record : records) {
            buffer_.clear();
            encoder_.encode(record, ++seq_, buffer_);
        }
        return records.size();
    }
    std::uint64_t last_seq() const override { return seq_; }

  private:
    audit::Encoder encoder_{"boot", {}};
    audit::Buffer buffer_;
    std::uint64_t seq_ = 0;
};

// Parsing a packet and making records of it, up to their JSON.
void take(benchmark::State& state) {
    const auto all = paths(100'000);
    std::vector<access::Packet> packets(1);
    for (const std::string& path : all) {
        if (packets.back().append(denied(path))) continue;
        packets.emplace_back();
        (void)packets.back().append(denied(path));
    }
    EncodingSink sink;
    audit::Pipeline pipeline(sink, {.window_ns = 1'000'000});
    const auto session = std::make_shared<audit::WatchedSession>(
        std::make_shared<const audit::SessionContext>(audit::SessionFacts{.session = "s", .uid = 1000}));
    std::size_t i = 0;
    for (auto _ : state) {
        const auto reports = access::parse_reports(packets[i].bytes());
        pipeline.take(session, *reports);
        if (!pipeline.has_room()) pipeline.flush(audit::Pipeline::Flush::kHalf);
        if (++i == packets.size()) i = 0;
    }
    pipeline.flush(audit::Pipeline::Flush::kAll);
    if (!session->counts.exact()) state.SkipWithError("the counts are not exact");
    state.SetItemsProcessed(static_cast<std::int64_t>(session->counts.seen));
}
BENCHMARK(take);

}  // namespace

BENCHMARK_MAIN();
