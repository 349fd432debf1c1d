// Records as the daemon makes them: one with every member, and one of each action. The golden file, the
// schema's test and the benchmark share them.
#pragma once

#include <string>
#include <vector>

#include "daemon/audit/record.hpp"

namespace reeve::audit::test {

class Samples {
  public:
    static SessionFacts facts();
    Record full() const;
    std::vector<Record> each_action() const;

  private:
    SessionContext session_{facts()};
    ProcessContext process_{{.pid = 4711, .start_ns = 99, .exe = "/usr/bin/node", .parent = 4702}};
};

}  // namespace reeve::audit::test
