#include "platform/linux/veil/ways.hpp"

#include <algorithm>

namespace reeve::platform::veil {
namespace {

bool contains(std::string_view tree, std::string_view path) {
    if (tree == "/") return true;
    return path.starts_with(tree) && (path.size() == tree.size() || path[tree.size()] == '/');
}

bool is_veiled(const Layout& layout, std::string_view path) {
    return std::ranges::any_of(layout.roots, [&](const auto& root) { return contains(root, path); });
}

}  // namespace

Ways::Ways(const Layout& layout) {
    ways_.push_back({.id = kRoot, .path = "/", .kind = Way::Kind::directory, .children = {}, .files = {}});
    for (const auto& root : layout.roots) add(root, Way::Kind::directory);
    for (const auto& place : layout.places)
        if (is_veiled(layout, place)) add(place, Way::Kind::directory);
    for (const auto& canary : layout.canaries)
        if (is_veiled(layout, canary)) add(canary, Way::Kind::canary);
    for (const auto& file : layout.files)
        if (is_veiled(layout, file)) add_file(file);
    for (auto& way : ways_) {
        way.veiled = is_veiled(layout, way.path);
        std::ranges::sort(way.files);
        const auto [first, last] = std::ranges::unique(way.files);
        way.files.erase(first, last);
    }
}

const Way* Ways::child(const Way& way, std::string_view name) const {
    const auto found = way.children.find(name);
    return found == way.children.end() ? nullptr : find(found->second);
}

// The way of that name, made if there is none. A directory is stronger than what only leads to a file, and than a
// canary: something is mounted on it, or below.
Way& Ways::descend(Way& from, std::string_view name, Way::Kind kind) {
    const auto known = from.children.find(name);
    if (known != from.children.end()) {
        Way& way = ways_[known->second - 1];
        way.kind = std::min(way.kind, kind);
        return way;
    }
    const std::uint64_t id = ways_.size() + 1;
    from.children.emplace(name, id);
    std::string path = (from.path == "/" ? "" : from.path) + "/" + std::string(name);
    return ways_.emplace_back(
        Way{.id = id, .path = std::move(path), .kind = kind, .children = {}, .files = {}});
}

void Ways::add(std::string_view path, Way::Kind kind) {
    std::uint64_t at = kRoot;
    while (path.size() > 1) {
        path.remove_prefix(1);
        const auto name = path.substr(0, path.find('/'));
        path.remove_prefix(name.size());
        at = descend(ways_[at - 1], name, path.empty() ? kind : Way::Kind::directory).id;
    }
}

void Ways::add_file(std::string_view path) {
    const auto slash = path.rfind('/');
    std::uint64_t at = kRoot;
    auto rest = path.substr(0, slash);
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto name = rest.substr(0, rest.find('/'));
        rest.remove_prefix(name.size());
        Way& way = descend(ways_[at - 1], name, Way::Kind::host);
        at = way.id;
    }
    ways_[at - 1].files.emplace_back(path.substr(slash + 1));
}

}  // namespace reeve::platform::veil
