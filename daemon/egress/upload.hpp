// How many bytes may still leave: to one host, and in the session.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace reeve::egress {

class Budgets {
  public:
    // 0: any number.
    Budgets(std::uint64_t host, std::uint64_t session) : host_(host), session_(session) {}

    std::uint64_t left(const std::string& host) const;
    // At most left().
    void take(const std::string& host, std::uint64_t bytes);

  private:
    const std::uint64_t host_, session_;
    std::uint64_t used_ = 0;
    std::unordered_map<std::string, std::uint64_t> used_by_host_;
};

// The part of one connection in them.
class Upload {
  public:
    Upload(Budgets& budgets, std::string host) : budgets_(budgets), host_(std::move(host)) {}
    std::uint64_t left() const { return budgets_.left(host_); }
    void take(std::uint64_t bytes) { budgets_.take(host_, bytes); }

  private:
    Budgets& budgets_;
    std::string host_;
};

}  // namespace reeve::egress
