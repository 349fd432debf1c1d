// The slow matcher: follows the definition of each step, position by position, and shares nothing with the
// automaton.
#include <vector>

#include "policy/engine.hpp"
#include "policy/glob.hpp"

namespace reeve::policy {
namespace glob {
namespace {

// Which steps can come next after `text` was read; [steps] is the end.
class Positions {
  public:
    Positions(const std::vector<Step>& steps, std::string_view text) : steps_(steps), text_(text) {
        reached_.assign(text.size() + 1, std::vector<bool>(steps.size() + 1));
        reached_[0][0] = true;
        for (std::size_t at = 0; at <= text.size(); ++at) {
            for (std::size_t step = 0; step < steps.size(); ++step) {
                if (reached_[at][step]) advance(at, step);
            }
        }
    }

    bool at_end() const { return reached_[text_.size()][steps_.size()]; }
    bool can_go_on() const {
        if (in_directory_) return true;
        for (std::size_t step = 0; step < steps_.size(); ++step) {
            if (reached_[text_.size()][step]) return true;
        }
        return false;
    }

  private:
    void advance(std::size_t at, std::size_t step) {
        const bool more = at < text_.size();
        const auto byte = more ? static_cast<std::uint8_t>(text_[at]) : 0;
        switch (steps_[step].kind) {
            case Step::Kind::byte:
                if (more && byte == steps_[step].byte) reached_[at + 1][step + 1] = true;
                return;
            case Step::Kind::set:
                if (more && steps_[step].set->test(byte)) reached_[at + 1][step + 1] = true;
                return;
            case Step::Kind::star:
                reached_[at][step + 1] = true;
                if (more && byte != '/') reached_[at + 1][step] = true;
                return;
            case Step::Kind::any:
                reached_[at][step + 1] = true;
                if (more) reached_[at + 1][step] = true;
                return;
            case Step::Kind::directories:
                skip_directory(at, step);
                return;
            case Step::Kind::tail:
                reached_[at][step + 1] = true;
                if (more && byte == '/') {
                    reached_[text_.size()][step + 1] = true;
                    in_directory_ = true;
                }
                return;
        }
    }
    void skip_directory(std::size_t at, std::size_t step) {
        reached_[at][step + 1] = true;
        const auto end = text_.find('/', at);
        if (end == std::string_view::npos) {
            in_directory_ = in_directory_ || at < text_.size();
        } else if (end > at) {
            reached_[end + 1][step] = true;
        }
    }

    const std::vector<Step>& steps_;
    std::string_view text_;
    std::vector<std::vector<bool>> reached_;  // by bytes read, then by step
    bool in_directory_ = false;  // the text ends inside of what a tail or skipped directories take
};

}  // namespace

bool Sequence::matches(std::string_view path) const {
    return Positions(steps, path).at_end();
}

bool Sequence::can_match_below(std::string_view path) const {
    std::string directory(path);
    if (directory != "/") directory += '/';
    return Positions(steps, directory).can_go_on();
}

}  // namespace glob

bool ExpandedPattern::matches(std::string_view path) const {
    return sequence != nullptr && sequence->matches(path);
}

bool ExpandedPattern::can_match_below(std::string_view path) const {
    return sequence != nullptr && sequence->can_match_below(path);
}

}  // namespace reeve::policy
