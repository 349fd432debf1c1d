// What reeve-keeper and reeve-veil tell reeved of the accesses that they decided on: typed values, packed several to
// a packet of the control socket.
//
// The sender has the person's ids and is trusted no further: reeved checks every length, and takes from a report
// nothing but what a record says. It does not cover what the kernel reports itself (platform/watch.hpp).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/result.hpp"
#include "policy/document.hpp"

namespace reeve::access {

// One access, or several equal ones. The views belong to whoever made it: the caller of append(), or the packet.
struct Report {
    pid_t pid = 0;  // thread group of who asked, in the host's pid namespace; 0: not known
    std::uint64_t start_ns =
        0;             // of that process, since boot, as platform::watch::Process has it; 0: not known
    pid_t parent = 0;  // 0: not known
    std::string_view exe = {};  // what it ran at that moment; empty: not known
    policy::FileAction action = policy::FileAction::read;
    policy::Verdict verdict = policy::Verdict::deny;  // what policy says
    bool by_rule = false;                             // a rule decided, and not the default
    bool decided = true;              // false: no decision was needed; verdict and rule say nothing
    bool directory = false;           // the object is one
    bool canary = false;              // the rule names it as a canary
    int error = 0;                    // what the caller got: 0, or an errno
    std::uint64_t count = 1;          // of equal accesses
    std::uint64_t monotonic_ns = 0;   // CLOCK_MONOTONIC, of the first of them
    std::string_view operation = {};  // the system call without "at" and digits: "rename"
    std::string_view path = {};       // resolved; of the object, or parent and name where there is none
    std::string_view target = {};     // rename, link: the new path; symlink: what it points to
    std::string_view rule = {};       // "" where no rule decided
};

// Longest text; append() cuts longer ones (a path is at most PATH_MAX, 4096 bytes).
inline constexpr std::size_t kMostText = 8192;

// The last packet of one who has told all. A socket that ends without it lost what had not been sent.
inline constexpr std::string_view kNoMore = "no more";

// Reports as they travel. One packet is at most platform::kMaxPacket bytes.
class Packet {
  public:
    // False, and nothing is added, where it does not fit: send this one, and begin another.
    bool append(const Report& report);
    // Adds its count to the report that was appended when bytes().size() was `at`, if the two are equal in all but
    // count and time.
    bool repeat(std::size_t at, const Report& report);
    bool empty() const { return bytes_.empty(); }
    std::string_view bytes() const { return bytes_; }
    void clear() { bytes_.clear(); }

  private:
    std::string bytes_;
};

// The reports of one packet, as views into it. Pure; an Error for anything that append() does not make, kNoMore
// included.
platform::Result<std::vector<Report>> parse_reports(std::string_view packet);

}  // namespace reeve::access
