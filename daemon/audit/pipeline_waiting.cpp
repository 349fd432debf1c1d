#include "daemon/audit/pipeline_waiting.hpp"

#include <algorithm>
#include <bit>

namespace reeve::audit {
namespace {

constexpr std::size_t kFewest = 256;
constexpr std::size_t kLongText = 512;  // more than that is not kept for the next one

}  // namespace

Waiting::Waiting(std::size_t most) : most_(std::bit_ceil(std::max(most, kFewest))) {
    resize(kFewest);
}

void Waiting::resize(std::size_t slots) {
    std::vector<WaitingRecord> moved(slots);
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) moved[i] = std::move(at(i));
    slots_ = std::move(moved);
    begin_ = 0;
    end_ = count;
    index_.assign(slots * 2, 0);
    for (std::size_t i = 0; i < count; ++i) index_[slots_[i].hash & (index_.size() - 1)] = i + 1;
}

WaitingRecord* Waiting::find(std::uint64_t hash) {
    const std::uint64_t place = index_[hash & (index_.size() - 1)];
    if (place <= begin_) return nullptr;  // none, or no longer here
    WaitingRecord& found = slots_[(place - 1) & (slots_.size() - 1)];
    return found.hash == hash ? &found : nullptr;
}

WaitingRecord& Waiting::add(std::uint64_t hash) {
    if (size() == slots_.size()) resize(slots_.size() * 2);
    index_[hash & (index_.size() - 1)] = end_ + 1;
    WaitingRecord& added = slots_[end_++ & (slots_.size() - 1)];
    added.hash = hash;
    added.count = 1;
    added.from_ns = 0;
    added.reported = false;
    added.network.reset();
    added.size.reset();
    added.bytes = 0;
    added.process_doubt = added.directory_doubt = "";
    return added;
}

void Waiting::set(WaitingRecord& record) {
    record.bytes = record.resource.size() + (record.reported ? record.facts.target.size() : 0) +
                   (record.network ? egress::text_size(*record.network) : 0);
    bytes_ += record.bytes;
}

void Waiting::remove(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        bytes_ -= at(i).bytes;
        at(i).session.reset();
        at(i).process.reset();
        at(i).network.reset();
        for (std::string* text : {&at(i).resource, &at(i).facts.target})
            if (text->capacity() > kLongText) std::string().swap(*text);
    }
    begin_ += count;
    if (size() == 0 && slots_.size() > kFewest) resize(kFewest);
}

}  // namespace reeve::audit
