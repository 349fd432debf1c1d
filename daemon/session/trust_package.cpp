// dpkg's own files: info/PACKAGE[:ARCH].list has the paths of a package, .md5sums their content.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "daemon/session/hash.hpp"

namespace reeve::session {
namespace {

namespace fs = std::filesystem;

// /usr/bin/x is also /bin/x where /bin is a link: packages name either.
std::vector<std::string> names_of(const std::string& path) {
    std::vector<std::string> names{path};
    for (const char* merged : {"/bin/", "/sbin/", "/lib/", "/lib32/", "/lib64/", "/libx32/"})
        if (path.starts_with(std::string("/usr") + merged)) names.push_back(path.substr(4));
    return names;
}

bool has_line(const fs::path& file, const std::vector<std::string>& wanted) {
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
        if (std::ranges::find(wanted, line) != wanted.end()) return true;
    return false;
}

// The info files of a package: one, or one for each architecture.
std::vector<fs::path> info_files(const std::string& root, const std::string& package,
                                 const std::string& suffix) {
    std::vector<fs::path> files;
    for (const char* architecture : {"", ":amd64", ":arm64", ":i386"}) {
        const fs::path file = fs::path(root) / "info" / (package + architecture + suffix);
        std::error_code ignored;
        if (fs::is_regular_file(file, ignored)) files.push_back(file);
    }
    return files;
}

}  // namespace

std::vector<std::string> owning_packages(const std::string& path, const std::string& root) {
    std::vector<std::string> packages;
    const auto wanted = names_of(path);
    std::error_code failed;
    for (fs::directory_iterator at(fs::path(root) / "info", failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string name = at->path().filename();
        if (!name.ends_with(".list") || !has_line(at->path(), wanted)) continue;
        packages.push_back(
            name.substr(0, name.find(':') == std::string::npos ? name.size() - 5 : name.find(':')));
    }
    return packages;
}

platform::Result<std::string> check_package(const Executable& file, const std::string& package,
                                            const std::string& root) {
    const auto no = [&](const std::string& why) {
        return platform::error("trust", file.path, why,
                               "reinstall the package, or name another way in \"trust\"");
    };
    // A name is a name: "../x" is none (Debian policy, section 5.6.7).
    if (package.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+-.") != std::string::npos)
        return no("\"" + package + "\" is no package name");
    const auto lists = info_files(root, package, ".list");
    if (lists.empty())
        return no("the Debian package " + package + " is not installed (RPM packages are not looked up)");
    const auto names = names_of(file.path);
    if (std::ranges::none_of(lists, [&](const fs::path& list) { return has_line(list, names); }))
        return no("the package " + package + " does not own it");
    auto hash = file_hash(file.file, Hash::kMd5);
    if (!hash) return std::unexpected(hash.error());
    std::vector<std::string> sums;
    for (const std::string& name : names) sums.push_back(*hash + "  " + name.substr(1));
    const auto files = info_files(root, package, ".md5sums");
    if (std::ranges::none_of(files, [&](const fs::path& list) { return has_line(list, sums); }))
        return no("its content is not what the package " + package + " installed");
    return std::string("package");
}

}  // namespace reeve::session
