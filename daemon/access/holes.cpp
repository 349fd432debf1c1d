#include "daemon/access/holes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace reeve::access {
namespace {

std::vector<std::string> read_holes() {
    std::error_code none;
    std::ifstream file(std::filesystem::read_symlink("/proc/self/exe", none).parent_path() / "holes");
    std::vector<std::string> names;
    for (std::string name; std::getline(file, name);) names.push_back(name);
    return names;
}

// Before main(): later the program sees the session's files alone, or opens none.
const std::vector<std::string> holes = read_holes();

}  // namespace

bool lacks(std::string_view defence) {
    return std::ranges::find(holes, defence) != holes.end();
}

}  // namespace reeve::access
