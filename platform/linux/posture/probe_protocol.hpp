// Between ConfinedExec and reeve-probe: the arguments (row, uid, gid), and on descriptor 3 what went wrong
// before the program ran. Nothing there and closed means that it runs.
#pragma once

namespace reeve::platform::posture {

inline constexpr int kReportFd = 3;

struct Report {
    int code;       // errno
    char step[28];  // zero-terminated
};

}  // namespace reeve::platform::posture
