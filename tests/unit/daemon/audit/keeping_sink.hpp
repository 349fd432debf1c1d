// A sink that keeps the records as the log would write them, and takes none where a test says so.
#pragma once

#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "daemon/audit/encode.hpp"
#include "daemon/audit/pipeline.hpp"

namespace reeve::audit::test {

class KeepingSink final : public Sink {
  public:
    std::size_t append(std::span<const Record> records) override {
        const std::scoped_lock lock(mutex_);
        if (full) return 0;
        for (const Record& record : records) {
            Buffer buffer;
            encoder_.encode(record, ++seq_, buffer);
            lines_.push_back(std::string(buffer.text()) + "}");
            if (record.action != Action::kAuditGap && record.action != Action::kProcessEnd)
                accesses_ += record.count;
            if (record.action == Action::kFileRead) read_.emplace(record.resource);
        }
        return records.size();
    }
    std::uint64_t last_seq() const override { return seq_; }
    std::vector<nlohmann::json> records() const {
        const std::scoped_lock lock(mutex_);
        std::vector<nlohmann::json> records;
        for (const std::string& line : lines_) records.push_back(nlohmann::json::parse(line));
        return records;
    }
    // Without the JSON, for tests of many records: the sum of the counts, and what was opened.
    std::uint64_t accesses() const {
        const std::scoped_lock lock(mutex_);
        return accesses_;
    }
    std::size_t files_read() const {
        const std::scoped_lock lock(mutex_);
        return read_.size();
    }
    std::atomic<bool> full = false;

  private:
    std::uint64_t accesses_ = 0;
    std::set<std::string> read_;
    mutable std::mutex mutex_;
    Encoder encoder_{"boot", {}};
    std::vector<std::string> lines_;
    std::uint64_t seq_ = 0;
};

}  // namespace reeve::audit::test
