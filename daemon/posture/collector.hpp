// Gathering the device's posture: all probes, one flight at a time, each result kept while it is fresh.
//
// There is no polling: nothing is measured unless somebody asks. It does not cover what a policy makes of the
// result (verdict.hpp) and how it is claimed to a broker (claims.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "platform/posture.hpp"

namespace reeve::posture {

using platform::posture::Check;
using platform::posture::Word;

struct Posture {
    std::vector<Check> checks;   // in the order of the probes; every id once
    std::int64_t collected = 0;  // wall clock seconds of the oldest check

    const Check* find(std::string_view id) const;
};

class Collector {
  public:
    using Monotonic = std::function<std::chrono::seconds()>;

    // `sources` must stay valid. `monotonic` decides what is fresh: the wall clock may be set back.
    Collector(platform::posture::Sources sources, std::span<const platform::posture::Probe> probes,
              Monotonic monotonic);

    // Every check, measured at most min(the probe's own age, `max_age`) ago. Never fails: what cannot be
    // measured is not-run with a reason. Blocks while probes run (bounded by their limits); callers that come
    // meanwhile wait for that flight and share its results. Thread-safe.
    Posture collect(const platform::posture::Subject& subject, std::chrono::seconds max_age);

  private:
    struct Kept {
        std::chrono::seconds at;
        std::vector<Check> checks;
    };
    std::vector<Check> run(const platform::posture::Probe& probe,
                           const platform::posture::Subject& subject) const;

    platform::posture::Sources sources_;
    std::span<const platform::posture::Probe> probes_;
    Monotonic monotonic_;
    std::mutex mutex_;                                          // held over a whole flight
    std::map<std::pair<std::size_t, std::string>, Kept> kept_;  // by probe and, where it matters, home
};

}  // namespace reeve::posture
