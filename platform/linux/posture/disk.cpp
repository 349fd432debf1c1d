// Is what lies on the disks encrypted? Walks from a mount to the block device below it, and from there
// through device-mapper, RAID and partitions to the bottom: every way down must go through an encrypting
// layer.
//
// It does not see: encryption inside the drive (OPAL) or by a cloud's hypervisor, file-level encryption
// (fscrypt, ZFS), and what cipher a LUKS header names (a null cipher would pass).
#include <algorithm>

#include "platform/linux/posture/checks.hpp"
#include "platform/linux/posture/parse.hpp"
#include "platform/linux/posture/probes.hpp"

namespace reeve::platform::posture {
namespace {

constexpr Id kEncrypted{"disk", "encrypted"};
constexpr Id kSwap{"disk", "swap-encrypted"};
constexpr int kMostDevices = 256;  // in one stack; more than that is not walked
constexpr int kMostLayers = 16;

// What is known of one place. A worse one swallows a better one: plain is certain, so it beats unknown.
struct Finding {
    Word word = Word::kSuccess;
    std::string reason, detail;

    void add(Finding other) {
        const auto rank = [](Word w) { return w == Word::kFail ? 2 : w == Word::kNotRun ? 1 : 0; };
        if (rank(other.word) > rank(word)) {
            *this = std::move(other);
        } else if (rank(other.word) == rank(word)) {
            detail += (detail.empty() ? "" : "; ") + other.detail;
        }
    }
};

Finding unknown(std::string_view reason, std::string detail) {
    return {Word::kNotRun, std::string(reason), std::move(detail)};
}
Finding unknown(const Error& error) {
    return unknown(reason_of(error), error.text());
}

std::string last_component(const std::string& path) {
    return path.substr(path.rfind('/') + 1);
}

std::string class_path(const std::string& device, const char* attribute) {
    return "/sys/class/block/" + device + "/" + attribute;
}

class Stack {
  public:
    explicit Stack(const FileSystem& files) : files_(files) {}

    // The file system that is mounted there.
    Finding below(const Mount& mount) {
        if (mount.type == "btrfs") return below_btrfs(mount.source);
        // Device numbers with major 0 belong to no block device (network, union, memory, ZFS).
        if (mount.major == 0)
            return unknown(reason::kUnsupported,
                           mount.point + " is " + printable(mount.type) + ", which names no disk");
        const auto link = files_.read_link("/sys/dev/block/" + std::to_string(mount.major) + ":" +
                                           std::to_string(mount.minor));
        return link ? device(last_component(*link)) : unknown(link.error());
    }

    // A path below /dev, as mountinfo or /proc/swaps names it.
    Finding below_node(const std::string& node) {
        const auto name = name_of(node);
        return name ? device(*name) : unknown(name.error());
    }

  private:
    // A block device by its kernel name, such as "dm-0".
    Finding device(const std::string& name, int layer = 0) {
        if (++visited_ > kMostDevices || layer > kMostLayers)
            return unknown(reason::kUnsupported, "too many layers of devices under " + printable(name));
        if (const auto there = files_.read(class_path(name, "dev")); !there) return unknown(there.error());
        if (name.starts_with("zram")) return {Word::kSuccess, {}, name + " is in memory"};
        if (name.starts_with("loop")) return unknown(reason::kUnsupported, name + " stands on a file");

        const auto uuid = files_.read(class_path(name, "dm/uuid"));
        if (!uuid && uuid.error().code != ENOENT) return unknown(uuid.error());
        if (uuid && is_encrypting(trim(*uuid))) return {Word::kSuccess, {}, name + " is encrypted"};

        const auto partition = files_.read(class_path(name, "partition"));
        if (!partition && partition.error().code != ENOENT) return unknown(partition.error());
        if (partition) return whole_disk_of(name, layer);

        const auto slaves = files_.list(class_path(name, "slaves"));
        if (!slaves && slaves.error().code != ENOENT) return unknown(slaves.error());
        if (!slaves || slaves->empty()) {
            if (uuid) return unknown(reason::kUnsupported, name + " is a mapping that stands on no device");
            return {Word::kFail, "value_plain", name + " is not encrypted"};
        }
        Finding all;
        for (const auto& slave : *slaves) all.add(device(slave, layer + 1));
        return all;
    }

    Finding whole_disk_of(const std::string& partition, int layer) {
        const auto link = files_.read_link("/sys/class/block/" + partition);
        if (!link) return unknown(link.error());
        const auto end = link->rfind('/');
        if (end == std::string::npos) return unknown(malformed(partition, "it lies on no disk").error());
        return device(last_component(link->substr(0, end)), layer + 1);
    }

    // btrfs may span devices, and mountinfo names only one of them.
    Finding below_btrfs(const std::string& source) {
        const auto first = name_of(source);
        if (!first) return unknown(first.error());
        const auto systems = files_.list("/sys/fs/btrfs");
        if (!systems) return unknown(systems.error());
        for (const auto& system : *systems) {
            const auto devices = files_.list("/sys/fs/btrfs/" + system + "/devices");
            if (!devices || std::ranges::find(*devices, *first) == devices->end()) continue;
            Finding all;
            for (const auto& name : *devices) all.add(device(name));
            return all;
        }
        return unknown(reason::kUnsupported,
                       "the devices of the btrfs on " + printable(source) + " are not listed");
    }

    // "/dev/sda2" -> "sda2"; "/dev/mapper/luks" -> "dm-0".
    Result<std::string> name_of(const std::string& node) const {
        constexpr std::string_view kMapper = "/dev/mapper/";
        if (!node.starts_with("/dev/")) return malformed(printable(node), "not a device");
        if (!node.starts_with(kMapper)) return last_component(node);
        const auto devices = files_.list("/sys/class/block");
        if (!devices) return std::unexpected(devices.error());
        for (const auto& device : *devices)
            if (const auto name = files_.read(class_path(device, "dm/name"));
                name && trim(*name) == node.substr(kMapper.size()))
                return device;
        return malformed(printable(node), "no mapping has that name");
    }

    const FileSystem& files_;
    int visited_ = 0;
};

Check check(Id id, Finding finding, const char* todo) {
    if (finding.word == Word::kSuccess) return success(id, std::move(finding.detail));
    if (finding.word == Word::kFail) return fail(id, finding.reason, std::move(finding.detail), todo);
    return not_run(id, finding.reason, std::move(finding.detail));
}

Result<std::vector<Mount>> mounts(const FileSystem& files) {
    const auto text = files.read("/proc/self/mountinfo", 4 * 1024 * 1024);
    if (!text) return std::unexpected(text.error());
    return parse_mountinfo(*text);
}

// The mount that the kernel itself says the path is on: no guessing from prefixes.
Finding place(const FileSystem& files, const std::vector<Mount>& all, const std::string& path) {
    const auto id = files.mount_of(path);
    if (!id) return unknown(id.error());
    const auto mount = std::ranges::find(all, *id, &Mount::id);
    if (mount == all.end()) return unknown(reason::kUnsupported, path + " is on a mount that is not listed");
    auto finding = Stack(files).below(*mount);
    finding.detail = printable(path) + ": " + finding.detail;
    return finding;
}

}  // namespace

bool is_encrypting(std::string_view dm_uuid) {
    // The types of cryptsetup that encrypt (lib/utils_devpath and libcryptsetup.h). CRYPT-VERITY,
    // CRYPT-INTEGRITY, CRYPT-SUBDEV and CRYPT-TEMP do not, or not by themselves.
    for (const std::string_view type : {"LUKS1", "LUKS2", "PLAIN", "TCRYPT", "BITLK", "FVAULT2", "LOOPAES"})
        if (dm_uuid.starts_with("CRYPT-" + std::string(type) + "-")) return true;
    return false;
}

std::vector<Check> probe_disk(const Sources& from, const Subject& subject) {
    const auto all = mounts(from.files);
    if (!all) return {not_run(kEncrypted, all.error())};
    Finding found = place(from.files, *all, "/");
    if (!subject.home.empty()) found.add(place(from.files, *all, subject.home));
    return {check(kEncrypted, std::move(found), "encrypt the disk (LUKS) when the system is next installed")};
}

std::vector<Check> probe_swap(const Sources& from, const Subject&) {
    const auto text = from.files.read("/proc/swaps");
    if (!text) return {not_run(kSwap, text.error())};
    const auto names = parse_swaps(*text);
    if (!names) return {not_run(kSwap, names.error())};
    if (names->empty()) return {success(kSwap, "nothing is swapped")};
    const auto all = mounts(from.files);
    if (!all) return {not_run(kSwap, all.error())};
    Finding found;
    for (const auto& name : *names)
        found.add(name.starts_with("/dev/") ? Stack(from.files).below_node(name)
                                            : place(from.files, *all, name));
    return {check(kSwap, std::move(found),
                  "encrypt swap with a random key (crypttab: option swap), or use zram")};
}

}  // namespace reeve::platform::posture
