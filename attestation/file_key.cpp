#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "attestation/key.hpp"
#include "attestation/openssl.hpp"

namespace reeve::attestation {

namespace {

constexpr mode_t kKeyMode = 0600;
constexpr std::size_t kMaxFile = 4096;  // a P-256 key in PEM has some 240 bytes
constexpr std::string_view kPkcs8 = "-----BEGIN PRIVATE KEY-----\n";

class File {
  public:
    explicit File(int fd) : fd_(fd) {}
    File(File&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    File& operator=(File&&) = delete;
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_;
};

// Bytes of a key: wiped when they go.
struct Secret {
    std::array<char, kMaxFile> bytes{};
    std::size_t size = 0;

    Secret() = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

std::unexpected<Error> os_fail(const char* what, const std::string& path, int code = errno) {
    Fault fault = code == ENOENT ? Fault::kNoSuchFile : code == EEXIST ? Fault::kFileExists : Fault::kFile;
    if (code == ELOOP) fault = Fault::kFileUntrusted;
    return fail(fault, std::string(what) + " " + path + ": " + std::generic_category().message(code));
}

struct Place {
    std::string directory, name;
};

Result<Place> split(const std::string& path) {
    std::size_t slash = path.rfind('/');
    Place place{slash == path.npos ? "."
                : slash == 0       ? "/"
                                   : path.substr(0, slash),
                slash == path.npos ? path : path.substr(slash + 1)};
    if (place.name.empty() || place.name == "." || place.name == "..")
        return fail(Fault::kArgument, "not the path of a file: " + path);
    return place;
}

// The directory must be ours, and nobody else may put files into it.
Result<File> open_directory(const std::string& path) {
    File directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return os_fail("open the key's directory", path, errno == ENOTDIR ? ELOOP : errno);
    struct stat found {};
    if (::fstat(directory.get(), &found) != 0) return os_fail("look at the key's directory", path);
    if (found.st_uid != ::geteuid())
        return fail(Fault::kFileUntrusted, "the key's directory has another owner: " + path);
    if ((found.st_mode & 022) != 0)
        return fail(Fault::kFileUntrusted, "others can write to the key's directory: " + path);
    return directory;
}

Status check_file(int fd, const std::string& path) {
    struct stat found {};
    if (::fstat(fd, &found) != 0) return os_fail("look at", path);
    auto untrusted = [&](const char* why) { return fail(Fault::kFileUntrusted, why + (": " + path)); };
    if (!S_ISREG(found.st_mode)) return untrusted("the key is not a regular file");
    if (found.st_uid != ::geteuid()) return untrusted("the key file has another owner");
    if ((found.st_mode & 07777) != kKeyMode) return untrusted("the mode of the key file is not 0600");
    if (found.st_nlink != 1) return untrusted("the key file has another hard link");
    return {};
}

Status read_all(int fd, Secret& secret, const std::string& path) {
    while (secret.size < secret.bytes.size()) {
        ssize_t got = ::read(fd, secret.bytes.data() + secret.size, secret.bytes.size() - secret.size);
        if (got == 0) return {};
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return os_fail("read", path);
        secret.size += static_cast<std::size_t>(got);
    }
    return fail(Fault::kTooLarge, "the key file has over 4095 bytes: " + path);
}

Status write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        ssize_t put = ::write(fd, bytes.data(), bytes.size());
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return os_fail("write", path);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

// OpenSSL would ask at the terminal.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

Result<std::shared_ptr<EVP_PKEY>> parse(const Secret& secret, const std::string& path) {
    std::string_view pem(secret.bytes.data(), secret.size);
    if (!pem.starts_with(kPkcs8)) return fail(Fault::kKey, "not an unencrypted PKCS#8 key in PEM: " + path);
    Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    auto pkey = share(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    if (!pkey) return fail(Fault::kKey, "OpenSSL cannot read the key: " + path);
    PkeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
    if (EVP_PKEY_is_a(pkey.get(), "EC") != 1 || EVP_PKEY_pairwise_check(context.get()) != 1)
        return fail(Fault::kKey, "not a sound key on P-256: " + path);
    return pkey;
}

// Writes the key to an unnamed file, and gives that the name once all of it is on the disk.
Status store(EVP_PKEY* pkey, const File& directory, const Place& place, const std::string& path) {
    Bio pem(BIO_new(BIO_s_secmem()));
    char* text = nullptr;
    if (PEM_write_bio_PKCS8PrivateKey(pem.get(), pkey, nullptr, nullptr, 0, nullptr, nullptr) != 1)
        return fail(Fault::kKey, "OpenSSL cannot write the key");
    long size = BIO_get_mem_data(pem.get(), &text);
    File file(::openat(directory.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kKeyMode));
    if (!file) return os_fail("make an unnamed file (O_TMPFILE) in", place.directory);
    if (::fchmod(file.get(), kKeyMode) != 0)
        return os_fail("set the mode of", path);  // whatever the umask is
    auto written = write_all(file.get(), {text, static_cast<std::size_t>(size)}, path);
    if (!written) return written;
    if (::fsync(file.get()) != 0) return os_fail("sync", path);
    // linkat with AT_EMPTY_PATH would need CAP_DAC_READ_SEARCH (open(2), O_TMPFILE).
    std::string self = "/proc/self/fd/" + std::to_string(file.get());
    if (::linkat(AT_FDCWD, self.c_str(), directory.get(), place.name.c_str(), AT_SYMLINK_FOLLOW) != 0)
        return os_fail("name the key file", path);
    if (::fsync(directory.get()) != 0) return os_fail("sync", place.directory);
    return {};
}

}  // namespace

Result<std::unique_ptr<FileKey>> FileKey::create(const std::string& path) {
    auto place = split(path);
    if (!place) return std::unexpected(place.error());
    if (::mkdir(place->directory.c_str(), 0700) != 0 && errno != EEXIST)
        return os_fail("make the key's directory", place->directory);
    auto directory = open_directory(place->directory);
    if (!directory) return std::unexpected(directory.error());
    auto pkey = share(EVP_EC_gen("P-256"));
    if (!pkey) return fail(Fault::kRandom, "OpenSSL makes no key");
    if (auto stored = store(pkey.get(), *directory, *place, path); !stored)
        return std::unexpected(stored.error());
    return load(path);
}

Result<std::unique_ptr<FileKey>> FileKey::load(const std::string& path) {
    auto place = split(path);
    if (!place) return std::unexpected(place.error());
    auto directory = open_directory(place->directory);
    if (!directory) return std::unexpected(directory.error());
    // O_NONBLOCK: a FIFO that stands there must not hold us up before it is looked at.
    File file(
        ::openat(directory->get(), place->name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file) return os_fail("open", path);
    if (auto checked = check_file(file.get(), path); !checked) return std::unexpected(checked.error());
    Secret secret;
    if (auto got = read_all(file.get(), secret, path); !got) return std::unexpected(got.error());
    auto pkey = parse(secret, path);
    if (!pkey) return std::unexpected(pkey.error());
    auto key = jose::PublicKey::from_pkey(*pkey);
    if (!key) return std::unexpected(key.error());
    return std::unique_ptr<FileKey>(new FileKey(*std::move(pkey), *std::move(key)));
}

Result<std::unique_ptr<FileKey>> FileKey::load_or_create(const std::string& path) {
    auto loaded = load(path);
    if (loaded || loaded.error().fault != Fault::kNoSuchFile) return loaded;
    auto created = create(path);
    if (created || created.error().fault != Fault::kFileExists) return created;
    return load(path);
}

}  // namespace reeve::attestation
