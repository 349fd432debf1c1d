// Reports as they come, a packet each: the caller is answered when the kernel has it.
#pragma once

#include "daemon/keeper/engine.hpp"

namespace reeve::keeper {

class DirectReports : public Reports {
  public:
    explicit DirectReports(int control) : control_(control) {}
    void add(const access::Report& report) override;

  private:
    int control_;
};

}  // namespace reeve::keeper
