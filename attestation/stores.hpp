// What a verifier remembers: the challenges that it gave out, and the token ids that it has seen. Both fail
// closed when full.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "attestation/result.hpp"
#include "attestation/sources.hpp"

namespace reeve::attestation {

enum class ChallengeState {
    kFresh,    // it was given out, has not been used, and is used up now
    kUnknown,  // never given out, or used already
    kExpired,  // given out too long ago
};

// Looks a challenge up by its "eat_nonce" form (nonce_of) and uses it up in the same step. Usable from any
// thread.
class ChallengeStore {
  public:
    virtual ~ChallengeStore() = default;
    virtual ChallengeState consume(std::string_view nonce, Time now) = 0;
};

// Challenges of one process, in memory: at most `capacity` unexpired ones, of about 250 bytes each.
class MemoryChallenges : public ChallengeStore {
  public:
    MemoryChallenges(std::size_t capacity, std::chrono::seconds lifetime, Sources sources);
    ~MemoryChallenges() override;

    // 43 characters from 32 random bytes. kTooLarge when full: the broker answers 503 with Retry-After.
    Result<std::string> issue();
    ChallengeState consume(std::string_view nonce, Time now) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// The one challenge that the caller has kept for itself; it does not expire. Good for one verification; a
// token for another challenge does not use it up.
class ExpectedChallenge : public ChallengeStore {
  public:
    explicit ExpectedChallenge(std::string_view challenge);
    ~ExpectedChallenge() override;
    ChallengeState consume(std::string_view nonce, Time now) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Takes any challenge. For reading a token that was saved, never for handing out a credential.
class UncheckedChallenge : public ChallengeStore {
  public:
    ChallengeState consume(std::string_view, Time) override { return ChallengeState::kFresh; }
};

enum class ReplayState {
    kNew,   // not seen before; remembered now
    kSeen,  // seen before
    kFull,  // no room to remember it: to be treated as seen
};

// Remembers ids until they could not be accepted any more. Usable from any thread.
class ReplayStore {
  public:
    virtual ~ReplayStore() = default;
    // id: at most 32 bytes (the verifier hands in a SHA-256 over kind, key and jti).
    virtual ReplayState remember(std::string_view id, Time until, Time now) = 0;
};

// In memory, at most `capacity` live ids of about 150 bytes each. What has run out makes room; nothing else
// does. A clock that goes back brings nothing back: what would have run out at the latest time that was ever
// seen here counts as seen.
class MemoryReplay : public ReplayStore {
  public:
    explicit MemoryReplay(std::size_t capacity);
    ~MemoryReplay() override;
    ReplayState remember(std::string_view id, Time until, Time now) override;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Remembers nothing. For reading a token that was saved, never for handing out a credential.
class UncheckedReplay : public ReplayStore {
  public:
    ReplayState remember(std::string_view, Time, Time) override { return ReplayState::kNew; }
};

}  // namespace reeve::attestation
