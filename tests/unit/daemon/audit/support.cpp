#include "tests/unit/daemon/audit/support.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "daemon/audit/checkpoint.hpp"
#include "daemon/audit/segment.hpp"

namespace reeve::audit::test {
namespace {

std::string make_scratch() {
    const std::filesystem::path memory = "/dev/shm";
    const bool usable = ::access(memory.c_str(), W_OK) == 0;
    std::string name =
        ((usable ? memory : std::filesystem::temp_directory_path()) / "reeve-audit-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp " + name);
    return name;
}

}  // namespace

Scratch::Scratch() : path(make_scratch()) {}
Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
        lines.push_back(text.substr(at, end - at));
        at = end;
    }
    return lines;
}

std::shared_ptr<const attestation::Signer> device_key() {
    static const std::shared_ptr<const attestation::Signer> key =
        std::move(attestation::MemoryKey::generate(attestation::jose::Algorithm::kEs256).value());
    return key;
}

platform::Result<std::unique_ptr<Log>> Place::open(LogOptions options, Unwritable unwritable, Sign sign,
                                                   Clock clock) const {
    auto directory = open_directory(log.string());
    auto state_directory = open_directory(state.string(), 0700);
    if (!directory) return std::unexpected(directory.error());
    if (!state_directory) return std::unexpected(state_directory.error());
    return Log::open(std::move(*directory), std::move(*state_directory), std::move(options), std::move(sign),
                     std::move(unwritable), std::move(clock));
}

VerifyReport Place::verify() const {
    const auto directory = open_directory(log.string());
    const auto state_directory = open_directory(state.string(), 0700);
    return audit::verify(directory->get(), {.check = check_with(device_key()->public_key()),
                                            .checkpoint = load_checkpoint(state_directory->get()).value()})
        .value();
}

std::vector<std::filesystem::path> Place::segments() const {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(log)) {
        if (entry.path().extension() == ".jsonl") paths.push_back(entry.path());
    }
    std::ranges::sort(paths);
    return paths;
}

std::string Place::text() const {
    std::string text;
    for (const auto& path : segments()) text += read_file(path);
    return text;
}

Record file_read(std::string& storage, int number) {
    storage = "/home/alice/file-" + std::to_string(number);
    return {.action = Action::kFileRead,
            .resource = storage,
            .resource_type = ResourceType::kFile,
            .outcome = Outcome::kAllowed,
            .rule = "acme/files/2",
            .decision = Decision::kAllow};
}

void fill(Log& log, int records, int first) {
    std::string storage;
    for (int i = 0; i < records; ++i) log.append(file_read(storage, first + i));
}

}  // namespace reeve::audit::test
