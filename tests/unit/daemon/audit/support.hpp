// What the tests of the log share: a directory of their own with a log in it, and a device key.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "attestation/key.hpp"
#include "daemon/audit/checkpoint_key.hpp"
#include "daemon/audit/log.hpp"
#include "daemon/audit/verify.hpp"

namespace reeve::audit::test {

// A directory that is gone, with all in it, when the test ends. In memory where it can be: these tests start
// a log thousands of times, and each start waits for the disk.
class Scratch {
  public:
    Scratch();
    ~Scratch();
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    const std::filesystem::path path;
};

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, const std::string& bytes);
std::vector<std::string> lines_of(const std::string& text);  // with their newlines

// The one key of this test program: made at the first call.
std::shared_ptr<const attestation::Signer> device_key();

// A log and its state directory below a scratch directory.
struct Place {
    Scratch scratch;
    std::filesystem::path log = scratch.path / "log", state = scratch.path / "state";

    platform::Result<std::unique_ptr<Log>> open(LogOptions options = {}, Unwritable unwritable = nullptr,
                                                Sign sign = sign_with(device_key()),
                                                Clock clock = Clock::system()) const;
    // With the device key, against the checkpoint of the state directory.
    VerifyReport verify() const;
    std::vector<std::filesystem::path> segments() const;  // by name
    std::string text() const;                             // of all segments, in order
};

// A file.read of /home/alice/file-<number>.
Record file_read(std::string& storage, int number);
// Appends that many of them.
void fill(Log& log, int records, int first = 0);

}  // namespace reeve::audit::test
