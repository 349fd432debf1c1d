// A device as a text file: what its files hold, what its kernel and programs answer, and what the probes must make of it.
//
// A line is one of these (the first that fits; # starts a comment line):
//   home /home/alice              the person that is asked about
//   expect disk.encrypted fail value_plain
//   wall 1770000000               the clock
//   clock 5 0x40                  adjtimex: state and status; or: clock ! EPERM
//   nft:                          and below the bytes of a netlink dump, in hex; or: nft ! ENOTSUP
//   support landlock=6 cgroup_kill memfd_noexec user_namespaces; or: support ! EPERM
//   exec apt-simulate 0:          and below, by four spaces, its output; or: exec apt-simulate ! ENOENT
//   self-test:                    and below its output; or: self-test ! ETIMEDOUT
//   mount /home 31                in which mount a path lies; or: mount /home ! ENOENT
//   /path: text                   a file of one line
//   /path:                        a file of the lines below, by four spaces
//   /path = 06 00                 a file of bytes
//   /path -> target               a link
//   /path/                        an empty directory
//   /path @ 1770000000            when it was changed last
//   /path ! EACCES                the answer to all that is asked about it
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/posture.hpp"

namespace reeve::platform::posture::test {

class Scene {
  public:
    struct Expectation {
        std::string id, word, reason;
    };

    // Throws std::runtime_error with file and line where the text is not as above.
    explicit Scene(const std::filesystem::path& file);
    // From text, for tests that make their own.
    static Scene of(const std::string& text) { return Scene(text, "text"); }
    ~Scene();
    Scene(const Scene&) = delete;
    Scene& operator=(const Scene&) = delete;

    Sources sources() const;
    Subject subject() const { return {.home = home_}; }
    const std::vector<Expectation>& expectations() const { return expectations_; }
    // All checks of the probes of these areas (of every area: {}).
    std::vector<Check> probe(const std::vector<std::string>& areas = {}) const;

  private:
    class Files;
    class Programs;
    class Answers;
    Scene(const std::string& text, const std::string& name);

    void parse(const std::string& line, const std::string& block);
    bool parse_setting(const std::string& line, const std::string& block);
    void parse_file(const std::string& line, const std::string& block);
    void write(const std::string& path, const std::string& bytes) const;
    std::filesystem::path real(const std::string& path) const;

    std::filesystem::path root_;
    std::string home_;
    std::vector<Expectation> expectations_;
    std::unique_ptr<Files> files_;
    std::unique_ptr<Programs> programs_;
    std::unique_ptr<Answers> answers_;
    std::optional<Result<std::string>> self_test_;
};

// "EACCES" -> EACCES; throws for a name that it does not know.
int code_of(const std::string& name);

}  // namespace reeve::platform::posture::test
