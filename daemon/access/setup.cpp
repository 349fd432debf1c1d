#include "daemon/access/setup.hpp"

#include <algorithm>

#include "platform/linux/wire.hpp"

namespace reeve::access {
namespace {

constexpr auto kKinds = static_cast<std::uint8_t>(Place::Kind::veiled) + 1;

bool contains(const Place& place, std::string_view path) {
    if (place.path == "/") return true;
    return path.starts_with(place.path) &&
           (path.size() == place.path.size() || path[place.path.size()] == '/');
}

}  // namespace

template <class V>
void fields(V& v, Place& p) {
    auto kind = static_cast<std::uint8_t>(p.kind);
    v(p.path, kind, p.log, p.continued);
    p.kind = static_cast<Place::Kind>(kind);
}
template <class V>
void fields(V& v, Setup& s) {
    v(s.session, s.home, s.places, s.uid, s.gid, s.keeper, s.trap_reads, s.canaries, s.files);
}

std::string Setup::encode() const {
    return platform::wire::encoded(*this);
}

platform::Result<Setup> Setup::decode(std::string_view bytes) {
    auto setup = platform::wire::decoded<Setup>(bytes);
    const auto sound = [](const Place& p) {
        return p.path.starts_with('/') && static_cast<std::uint8_t>(p.kind) < kKinds;
    };
    const auto absolute = [](const std::string& path) { return path.starts_with('/'); };
    if (!setup || !std::ranges::all_of(setup->places, sound) ||
        !std::ranges::all_of(setup->canaries, absolute) || !std::ranges::all_of(setup->files, absolute) ||
        !std::ranges::is_sorted(setup->places, {}, &Place::path))
        return platform::error("read the set-up of the session", "", "it is not of this build",
                               "restart reeved after an upgrade");
    return std::move(*setup);
}

const Place* Setup::place_of(std::string_view path) const {
    // Of the places that are not after the path in order, one that contains it is innermost if it is the longest:
    // the nearest before the path, or one that contains that one's parent.
    while (true) {
        auto after = std::ranges::upper_bound(places, path, {},
                                              [](const Place& p) { return std::string_view(p.path); });
        if (after == places.begin()) return nullptr;
        const Place& nearest = *std::prev(after);
        if (contains(nearest, path)) return &nearest;
        if (path == "/") return nullptr;
        const auto slash = path.rfind('/');
        path = path.substr(0, std::max<std::size_t>(slash, 1));
    }
}

}  // namespace reeve::access
