#include "daemon/egress/grants.hpp"

#include "daemon/egress/name_text.hpp"

namespace reeve::egress {

void Grants::add(const Question& question, Scope scope) {
    if (scope == Scope::domain && !question.domain.empty())
        domains_.insert(question.domain);
    else if (scope == Scope::host_and_port)
        host_and_port_.emplace(question.host, question.port);
    else
        hosts_.insert(question.host);
    if (added_) added_();
}

bool Grants::covers(const std::string& host, std::uint16_t port) const {
    if (host_and_port_.contains({host, port}) || hosts_.contains(host)) return true;
    return !domains_.empty() && domains_.contains(registrable_domain(host));
}

}  // namespace reeve::egress
