#include "attestation/stores.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include "attestation/evidence.hpp"
#include "attestation/jose/base64url.hpp"

namespace reeve::attestation {

struct MemoryChallenges::State {
    struct Given {
        std::string nonce;
        Time expires;
    };

    State(std::size_t most, std::chrono::seconds each, Sources from)
        : capacity(most), lifetime(each), sources(std::move(from)) {}

    void make_room(Time now) {
        while (given.size() >= capacity && !given.empty() && given.front().expires <= now) {
            by_nonce.erase(given.front().nonce);
            given.pop_front();
        }
    }

    const std::size_t capacity;
    const std::chrono::seconds lifetime;
    const Sources sources;
    std::mutex mutex;
    std::list<Given> given;  // the oldest in front
    std::map<std::string, std::list<Given>::iterator, std::less<>> by_nonce;
};

MemoryChallenges::MemoryChallenges(std::size_t capacity, std::chrono::seconds lifetime, Sources sources)
    : state_(std::make_unique<State>(capacity, lifetime, std::move(sources))) {}

MemoryChallenges::~MemoryChallenges() = default;

Result<std::string> MemoryChallenges::issue() {
    std::array<std::byte, 32> bytes{};
    if (auto filled = state_->sources.random(bytes); !filled) return std::unexpected(filled.error());
    std::string challenge = jose::base64url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    const Time now = state_->sources.clock();
    const std::scoped_lock lock(state_->mutex);
    state_->make_room(now);
    if (state_->given.size() >= state_->capacity)
        return fail(Fault::kTooLarge, std::to_string(state_->capacity) + " challenges wait for an answer");
    auto it = state_->given.insert(state_->given.end(), {challenge, now + state_->lifetime});
    if (!state_->by_nonce.emplace(challenge, it).second) {
        state_->given.erase(it);
        return fail(Fault::kRandom, "the same 32 random bytes came twice");
    }
    return challenge;
}

ChallengeState MemoryChallenges::consume(std::string_view nonce, Time now) {
    const std::scoped_lock lock(state_->mutex);
    auto found = state_->by_nonce.find(nonce);
    if (found == state_->by_nonce.end()) return ChallengeState::kUnknown;
    bool expired = found->second->expires <= now;
    state_->given.erase(found->second);
    state_->by_nonce.erase(found);
    return expired ? ChallengeState::kExpired : ChallengeState::kFresh;
}

struct ExpectedChallenge::State {
    std::mutex mutex;
    std::string nonce;  // empty: used
};

ExpectedChallenge::ExpectedChallenge(std::string_view challenge) : state_(std::make_unique<State>()) {
    if (!challenge.empty()) state_->nonce = nonce_of(challenge);
}

ExpectedChallenge::~ExpectedChallenge() = default;

ChallengeState ExpectedChallenge::consume(std::string_view nonce, Time) {
    const std::scoped_lock lock(state_->mutex);
    if (nonce.empty() || nonce != state_->nonce) return ChallengeState::kUnknown;
    state_->nonce.clear();
    return ChallengeState::kFresh;
}

// A set, not a hash table: what tokens say can not make it slow.
struct MemoryReplay::State {
    static constexpr std::size_t kLongest = 32;
    using Id = std::array<char, kLongest + 1>;  // the length is in front

    explicit State(std::size_t most) : capacity(most) {}

    void forget(Time now) {
        latest = std::max(latest, now);
        while (!by_time.empty() && by_time.begin()->first <= latest) {
            for (const Id& id : by_time.begin()->second) seen.erase(id);
            by_time.erase(by_time.begin());
        }
    }

    const std::size_t capacity;
    std::mutex mutex;
    Time latest{};  // of all times that were handed in
    std::set<Id> seen;
    std::map<Time, std::vector<Id>> by_time;  // tokens run out on whole seconds, so these are few
};

MemoryReplay::MemoryReplay(std::size_t capacity) : state_(std::make_unique<State>(capacity)) {}

MemoryReplay::~MemoryReplay() = default;

ReplayState MemoryReplay::remember(std::string_view id, Time until, Time now) {
    if (id.size() > State::kLongest) return ReplayState::kFull;
    State::Id key{static_cast<char>(id.size())};
    std::ranges::copy(id, key.begin() + 1);
    const std::scoped_lock lock(state_->mutex);
    state_->forget(now);
    if (until <= state_->latest || state_->seen.contains(key)) return ReplayState::kSeen;
    if (state_->seen.size() >= state_->capacity) return ReplayState::kFull;
    // First what can fail without a trace: an id that is only in by_time is forgotten in time.
    state_->by_time[until].push_back(key);
    state_->seen.insert(key);
    return ReplayState::kNew;
}

}  // namespace reeve::attestation
