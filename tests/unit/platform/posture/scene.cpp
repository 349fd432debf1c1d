#include "tests/unit/platform/posture/scene.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace reeve::platform::posture::test {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> words(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> all;
    for (std::string word; stream >> word;) all.push_back(word);
    return all;
}

std::string from_hex(const std::string& text) {
    std::string bytes;
    for (const auto& word : words(text)) bytes += static_cast<char>(std::stoi(word, nullptr, 16));
    return bytes;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

// "x ! EACCES" -> EACCES
std::optional<int> code_in(const std::string& line) {
    const auto at = line.rfind(" ! ");
    return at == std::string::npos ? std::nullopt : std::optional(code_of(line.substr(at + 3)));
}

std::unexpected<Error> answer(int code, const std::string& on) {
    return os_error("ask the scene for", on, code);
}

}  // namespace

int code_of(const std::string& name) {
    static const std::map<std::string, int> kCodes = {
        {"EACCES", EACCES},   {"EPERM", EPERM},    {"ENOENT", ENOENT},       {"EIO", EIO},
        {"ENOTSUP", ENOTSUP}, {"ENOSYS", ENOSYS},  {"ETIMEDOUT", ETIMEDOUT}, {"EFBIG", EFBIG},
        {"ENOTDIR", ENOTDIR}, {"EBADMSG", EBADMSG}};
    return kCodes.at(name);
}

// The real RootedFileSystem on the scene's tree; what a tree of files cannot have is answered from the text.
class Scene::Files final : public FileSystem {
  public:
    explicit Files(const fs::path& root) : tree_(RootedFileSystem::open(root).value()) {}

    Result<std::string> read(const std::string& path, std::size_t limit) const override {
        if (const auto code = failing(path)) return answer(*code, path);
        return tree_.read(path, limit);
    }
    Result<std::string> read_link(const std::string& path) const override {
        if (const auto code = failing(path)) return answer(*code, path);
        return tree_.read_link(path);
    }
    Result<std::vector<std::string>> list(const std::string& path) const override {
        if (const auto code = failing(path)) return answer(*code, path);
        return tree_.list(path);
    }
    Result<Stat> stat(const std::string& path) const override {
        if (const auto code = failing(path)) return answer(*code, path);
        return tree_.stat(path);
    }
    Result<std::uint64_t> mount_of(const std::string& path) const override {
        const auto found = mounts.find(path);
        return found == mounts.end() ? answer(ENOENT, path) : found->second;
    }

    std::map<std::string, int> failures;
    std::map<std::string, Result<std::uint64_t>> mounts;

  private:
    std::optional<int> failing(const std::string& path) const {
        const auto found = failures.find(path);
        return found == failures.end() ? std::nullopt : std::optional(found->second);
    }
    RootedFileSystem tree_;
};

class Scene::Programs final : public Exec {
  public:
    Result<Output> run(std::string_view id) const override {
        const auto found = answers.find(std::string(id));
        return found == answers.end() ? answer(ENOENT, std::string(id)) : found->second;
    }
    std::map<std::string, Result<Output>> answers;
};

class Scene::Answers final : public Kernel {
  public:
    Result<ClockStatus> clock_status() const override { return clock; }
    Result<std::string> nft_chains() const override { return chains; }
    Result<confine::Support> support() const override { return offered; }
    std::int64_t wall_seconds() const override { return wall; }

    Result<ClockStatus> clock = answer(ENOSYS, "clock");
    Result<std::string> chains = answer(ENOTSUP, "nft");
    Result<confine::Support> offered = answer(EPERM, "support");
    std::int64_t wall = 1'790'000'000;
};

Scene::Scene(const fs::path& file) : Scene(read_file(file), file.filename()) {}

Scene::Scene(const std::string& text, const std::string& name) {
    std::string root = (fs::temp_directory_path() / "reeve-scene-XXXXXX").string();
    if (::mkdtemp(root.data()) == nullptr) throw std::runtime_error("cannot make " + root);
    root_ = root;
    files_ = std::make_unique<Files>(root_);
    programs_ = std::make_unique<Programs>();
    answers_ = std::make_unique<Answers>();

    std::istringstream lines(text);
    std::string line, next;
    std::size_t number = 1;
    for (bool more = static_cast<bool>(std::getline(lines, line)); more; line = next, ++number) {
        std::string block;
        const auto at = number;
        while ((more = static_cast<bool>(std::getline(lines, next))) && next.starts_with("    ")) {
            block += next.substr(4) + "\n";
            ++number;
        }
        try {
            parse(line, block);
        } catch (const std::exception& thrown) {
            throw std::runtime_error(name + ":" + std::to_string(at) + ": '" + line + "': " + thrown.what());
        }
    }
}

Scene::~Scene() {
    std::error_code ignored;
    fs::remove_all(root_, ignored);
}

void Scene::parse(const std::string& line, const std::string& block) {
    if (line.empty() || line.starts_with('#')) return;
    if (line.starts_with('/'))
        parse_file(line, block);
    else if (!parse_setting(line, block))
        throw std::runtime_error("not understood");
}

bool Scene::parse_setting(const std::string& line, const std::string& block) {
    const auto all = words(line);
    const auto code = code_in(line);
    const auto& kind = all.front();
    if (kind == "home") {
        home_ = all.at(1);
    } else if (kind == "expect") {
        expectations_.push_back({all.at(1), all.at(2), all.size() > 3 ? all.at(3) : ""});
    } else if (kind == "wall") {
        answers_->wall = std::stoll(all.at(1));
    } else if (kind == "clock" && code) {
        answers_->clock = answer(*code, "clock");
    } else if (kind == "clock") {
        answers_->clock =
            Kernel::ClockStatus{.state = std::stoi(all.at(1)),
                                .status = static_cast<unsigned>(std::stoul(all.at(2), nullptr, 0))};
    } else if (kind == "nft" && code) {
        answers_->chains = answer(*code, "nft");
    } else if (kind == "nft:") {
        answers_->chains = from_hex(block);
    } else if (kind == "support" && code) {
        answers_->offered = answer(*code, "support");
    } else if (kind == "support") {
        const auto has = [&](const char* name) { return std::ranges::find(all, name) != all.end(); };
        confine::Support support;
        for (const auto& word : all)
            if (word.starts_with("landlock=")) support.landlock_abi = std::stoi(word.substr(9));
        support.cgroup_kill = has("cgroup_kill");
        support.memfd_noexec = has("memfd_noexec");
        support.user_namespaces = has("user_namespaces");
        answers_->offered = support;
    } else if (kind == "exec" && code) {
        programs_->answers.emplace(all.at(1), answer(*code, all.at(1)));
    } else if (kind == "exec") {
        programs_->answers.emplace(all.at(1),
                                   Output{.status = std::stoi(all.at(2)), .standard_output = block});
    } else if (kind.starts_with("self-test")) {
        if (code)
            self_test_ = answer(*code, "self-test");
        else
            self_test_ = block;
    } else if (kind == "mount" && code) {
        files_->mounts.emplace(all.at(1), answer(*code, all.at(1)));
    } else if (kind == "mount") {
        files_->mounts.emplace(all.at(1), std::stoull(all.at(2)));
    } else {
        return false;
    }
    return true;
}

void Scene::parse_file(const std::string& line, const std::string& block) {
    const auto split = [&](const char* separator, std::string& left, std::string& right) {
        const auto at = line.find(separator);
        if (at == std::string::npos) return false;
        left = line.substr(0, at);
        right = line.substr(at + std::char_traits<char>::length(separator));
        return true;
    };
    std::string path, rest;
    if (split(" -> ", path, rest)) {
        fs::create_directories(real(path).parent_path());
        fs::create_symlink(rest, real(path));
    } else if (split(" ! ", path, rest)) {
        files_->failures[path] = code_of(rest);
    } else if (split(" @ ", path, rest)) {
        if (!fs::exists(real(path))) write(path, "");
        const timespec when[] = {{std::stoll(rest), 0}, {std::stoll(rest), 0}};
        if (::utimensat(AT_FDCWD, real(path).c_str(), when, 0) != 0) throw std::runtime_error("utimensat");
    } else if (split(" = ", path, rest)) {
        write(path, from_hex(rest));
    } else if (split(": ", path, rest)) {
        write(path, rest + "\n");
    } else if (line.ends_with(':')) {
        write(line.substr(0, line.size() - 1), block);
    } else if (line.ends_with('/')) {
        fs::create_directories(real(line));
    } else {
        throw std::runtime_error("not understood");
    }
}

fs::path Scene::real(const std::string& path) const {
    return root_ / path.substr(1);
}

void Scene::write(const std::string& path, const std::string& bytes) const {
    fs::create_directories(real(path).parent_path());
    std::ofstream file(real(path), std::ios::binary);
    if (!(file << bytes).flush()) throw std::runtime_error("cannot write it");
}

Sources Scene::sources() const {
    SelfTest self_test;
    if (self_test_) self_test = [this] { return *self_test_; };
    return {.files = *files_, .exec = *programs_, .kernel = *answers_, .self_test = std::move(self_test)};
}

std::vector<Check> Scene::probe(const std::vector<std::string>& areas) const {
    std::vector<Check> all;
    for (const auto& probe : probes()) {
        if (!areas.empty() && std::ranges::find(areas, probe.area) == areas.end()) continue;
        auto checks = probe.run(sources(), subject());
        std::ranges::move(checks, std::back_inserter(all));
    }
    return all;
}

}  // namespace reeve::platform::posture::test
