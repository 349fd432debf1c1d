// What all layers ask for together: of each setting the strictest value.
#include <algorithm>

#include "policy/stack.hpp"

namespace reeve::policy {
namespace {

template <typename T>
void least(std::optional<T>& value, const std::optional<T>& other) {
    if (other && (!value || *other < *value)) value = other;
}
template <typename T>
void greatest(std::optional<T>& value, const std::optional<T>& other) {
    if (other && (!value || *other > *value)) value = other;
}
void unite(std::vector<std::string>& list, const std::vector<std::string>& more) {
    for (const auto& item : more) {
        if (std::ranges::find(list, item) == list.end()) list.push_back(item);
    }
}

// Names of which the last sign may be a star. What both lists let through.
std::vector<std::string> both(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    const auto covers = [](const std::string& wide, const std::string& narrow) {
        if (!wide.ends_with('*')) return wide == narrow;
        return narrow.starts_with(std::string_view(wide).substr(0, wide.size() - 1));
    };
    std::vector<std::string> names;
    for (const auto& x : a) {
        for (const auto& y : b) {
            if (covers(x, y)) unite(names, {y});
            if (covers(y, x)) unite(names, {x});
        }
    }
    return names;
}

// The strictest value that any layer names; where the base layer names none, the strictest that there is.
template <typename T>
class Strictest {
  public:
    explicit Strictest(T strict) : strict_(strict) {}
    void add(const std::optional<T>& value, bool base) {
        in_base_ = in_base_ || (base && value.has_value());
        greatest(value_, value);
    }
    T get() const { return in_base_ && value_ ? *value_ : strict_; }

  private:
    T strict_;
    std::optional<T> value_;
    bool in_base_ = false;
};

class Merger {
  public:
    Merger(const Stack& stack, std::string_view agent_id, std::vector<Diagnostic>& diagnostics)
        : stack_(stack), agent_(agent_id), diagnostics_(diagnostics) {}

    Settings merge() {
        for (const auto authority : stack_.order()) {
            for (const auto& placed : stack_.layer(authority)) {
                add(*placed.document, authority);
            }
        }
        settings_.mode = mode_.get();
        settings_.unenforceable = unenforceable_.get();
        settings_.consent.scripted = !unscripted_.get();
        settings_.audit.on_full = on_full_.get();
        settings_.posture.on_fail = on_fail_.get();
        add_agent();
        return std::move(settings_);
    }

  private:
    void add(const Document& document, Authority authority) {
        const bool base = authority == stack_.base;
        mode_.add(document.mode, base);
        unenforceable_.add(document.unenforceable, base);
        least(settings_.expires, document.expires);
        least(settings_.limits.memory, document.limits.memory);
        least(settings_.limits.processes, document.limits.processes);
        least(settings_.limits.upload, document.limits.upload);
        least(settings_.limits.host_upload, document.limits.host_upload);
        add_consent(document.consent, base);
        on_full_.add(document.audit.on_full, base);
        greatest(settings_.audit.keep, document.audit.keep);
        greatest(settings_.audit.max_size, document.audit.max_size);
        unite(settings_.audit.sinks, document.audit.sinks);
        unite(settings_.posture.require, document.posture.require);
        least(settings_.posture.max_age, document.posture.max_age);
        on_fail_.add(document.posture.on_fail, base);
        for (const auto& [id, broker] : document.brokers) add_broker(document, id, broker, base);
        for (std::size_t i = 0; i < document.dlp.size(); ++i) {
            if (!is_for(document.dlp[i].agents, agent_)) continue;
            auto& rule = settings_.dlp.emplace_back(document.dlp[i]);
            if (rule.id.empty()) rule.id = document.id + "/dlp/" + std::to_string(i);
        }
    }

    void add_consent(const Consent& consent, bool base) {
        least(settings_.consent.timeout, consent.timeout);
        least(settings_.consent.max_lifespan, consent.max_lifespan);
        least(settings_.consent.max_pending, consent.max_pending);
        if (consent.scripted) unscripted_.add(!*consent.scripted, base);
        if (!consent.lifespans) return;
        auto& lifespans = settings_.consent.lifespans;
        if (!lifespans) {
            lifespans = consent.lifespans;
            return;
        }
        std::erase_if(*lifespans, [&](const std::string& word) {
            return std::ranges::find(*consent.lifespans, word) == consent.lifespans->end();
        });
    }

    // A layer below the base may narrow a broker. To name a new one, or another place for evidence to go,
    // would widen what the session can do.
    void add_broker(const Document& document, const std::string& id, const Broker& broker, bool base) {
        const auto known = settings_.brokers.find(id);
        if (known == settings_.brokers.end()) {
            if (!base) {
                warn(document, broker.at,
                     "the broker \"" + id + "\" is left out: the " + std::string(name_of(stack_.base)) +
                         "'s documents do not name it");
                return;
            }
            auto& fresh = settings_.brokers[id];
            fresh.broker = broker;
            if (!broker.resources.empty()) fresh.resources.push_back(broker.resources);
            return;
        }
        auto& merged = known->second;
        const auto differs = [](const std::string& a, const std::string& b) { return !b.empty() && a != b; };
        if (differs(merged.broker.audience, broker.audience) ||
            differs(merged.broker.token_endpoint, broker.token_endpoint) ||
            differs(merged.broker.challenge_endpoint, broker.challenge_endpoint)) {
            diagnostics_.push_back(
                {.file = document.file,
                 .at = broker.at,
                 .message = "the broker \"" + id + "\" has another audience or endpoint in another document",
                 .hint = "give the same, or choose another name"});
            return;
        }
        least(merged.broker.max_ttl, broker.max_ttl);
        if (!broker.resources.empty()) merged.resources.push_back(broker.resources);
    }

    void add_agent() {
        bool given = false;
        for (const auto authority : stack_.order()) {
            const auto agents = agents_of_layer(stack_.layer(authority));
            const auto agent = agents.find(std::string(agent_));
            if (agent == agents.end()) continue;
            if (settings_.trust.empty()) {
                settings_.trust = agent->second.trust;
            } else if (!agent->second.trust.empty()) {
                warn(*stack_.layer(authority).front().document, {},
                     "the \"trust\" of \"" + std::string(agent_) + "\" is left out: the " +
                         std::string(name_of(stack_.base)) + "'s documents say what is trusted");
            }
            const auto& names = agent->second.environment;
            if (authority == stack_.base) {
                settings_.environment = names;
                given = true;
            } else if (given && !names.empty()) {
                settings_.environment = both(settings_.environment, names);
            }
        }
    }

    void warn(const Document& document, Position at, std::string message) {
        diagnostics_.push_back({.file = document.file,
                                .at = at,
                                .message = std::move(message),
                                .hint = {},
                                .severity = Severity::warning});
    }

    const Stack& stack_;
    std::string_view agent_;
    std::vector<Diagnostic>& diagnostics_;
    Settings settings_;
    Strictest<Mode> mode_{Mode::enforce};
    Strictest<Unenforceable> unenforceable_{Unenforceable::refuse};
    Strictest<OnFull> on_full_{OnFull::end_session};
    Strictest<OnFail> on_fail_{OnFail::end_session};
    Strictest<bool> unscripted_{true};
};

}  // namespace

Settings merge_settings(const Stack& stack, std::string_view agent_id, std::vector<Diagnostic>& diagnostics) {
    return Merger(stack, agent_id, diagnostics).merge();
}

}  // namespace reeve::policy
