// Probes for the tests of daemon/posture that do what a test says, and a clock that a test owns.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "daemon/posture/collector.hpp"

namespace reeve::posture::test {

using platform::posture::Kernel;
using platform::posture::Probe;
using platform::posture::Sources;
using platform::posture::Subject;

inline Check check(std::string area, std::string name, Word word, std::string reason = {}) {
    return {.area = std::move(area),
            .name = std::move(name),
            .word = word,
            .reason = std::move(reason),
            .detail = "seen",
            .todo = {}};
}

// Answers with its members; nothing of a real system is asked.
class FakeSystem final : public platform::posture::FileSystem, public platform::posture::Exec, public Kernel {
  public:
    platform::Result<std::string> read(const std::string& path, std::size_t) const override {
        const auto file = files.find(path);
        if (file == files.end()) return platform::os_error("read", path, ENOENT);
        return file->second;
    }
    platform::Result<std::string> read_link(const std::string& path) const override { return none(path); }
    platform::Result<std::vector<std::string>> list(const std::string& path) const override {
        return none(path);
    }
    platform::Result<Stat> stat(const std::string& path) const override { return none(path); }
    platform::Result<std::uint64_t> mount_of(const std::string& path) const override { return none(path); }
    platform::Result<platform::posture::Output> run(std::string_view id) const override {
        return none(std::string(id));
    }
    platform::Result<ClockStatus> clock_status() const override { return none("clock"); }
    platform::Result<std::string> nft_chains() const override { return none("nft"); }
    platform::Result<platform::confine::Support> support() const override { return none("support"); }
    std::int64_t wall_seconds() const override { return wall; }

    Sources sources() const { return {.files = *this, .exec = *this, .kernel = *this, .self_test = {}}; }

    std::map<std::string, std::string> files;
    std::atomic<std::int64_t> wall = 1'790'000'000;

  private:
    static std::unexpected<platform::Error> none(const std::string& what) {
        return platform::os_error("ask for", what, ENOENT);
    }
};

}  // namespace reeve::posture::test
