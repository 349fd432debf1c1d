// Which calls the keeper's filter hands over, in both of its variants.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <seccomp.h>

#include "platform/linux/confine/notify_filter.hpp"
#include "platform/linux/memfd.hpp"
#include "platform/linux/notify/calls.hpp"
#include "tests/unit/platform/confine/bpf.hpp"

namespace reeve::platform::confine {
namespace {

constexpr int kTmpfile = 020000000;

enum class Gives { allow, notify, eperm, enosys };

class NotifyFilter : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        auto fd = compile_notify_filter();
        ASSERT_TRUE(fd) << fd.error().text();
        auto bytes = read_memfd(fd->get(), true);
        ASSERT_TRUE(bytes);
        std::uint64_t first = 0;
        std::memcpy(&first, bytes->data(), sizeof first);
        const std::string part = GetParam() ? bytes->substr(8 + first) : bytes->substr(8, first);
        program_.resize(part.size() / sizeof(sock_filter));
        std::memcpy(program_.data(), part.data(), part.size());
    }
    Gives gives(int number, std::vector<std::uint64_t> arguments = {}) {
        seccomp_data data{};
        data.nr = number;
        data.arch = kHere;
        for (std::size_t i = 0; i < arguments.size(); ++i) data.args[i] = arguments[i];
        switch (run(program_, data)) {
            case SECCOMP_RET_ALLOW:
                return Gives::allow;
            case SECCOMP_RET_USER_NOTIF:
                return Gives::notify;
            case SECCOMP_RET_ERRNO | EPERM:
                return Gives::eperm;
            case SECCOMP_RET_ERRNO | ENOSYS:
                return Gives::enosys;
            default:
                ADD_FAILURE() << "another answer";
                return Gives::allow;
        }
    }
    bool reads() const { return GetParam(); }

  private:
    std::vector<sock_filter> program_;
};

TEST_P(NotifyFilter, HandsOverWhatStandsInTheList) {
    for (const notify::TrappedCall& call : notify::kTrappedCalls)
        if (call.trap == notify::Trap::always) {
            EXPECT_EQ(gives(call.number), Gives::notify) << call.name;
            EXPECT_EQ(gives(call.number, {~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL, ~0ULL}), Gives::notify)
                << call.name;
        }
}

TEST_P(NotifyFilter, HandsOverOpensByTheirFlags) {
    const int reading[] = {O_RDONLY, O_RDONLY | O_CLOEXEC, O_DIRECTORY, O_PATH, O_NOFOLLOW | O_NONBLOCK};
    const int changing[] = {O_WRONLY,         O_RDWR,    O_WRONLY | O_CREAT,
                            O_CREAT,          O_TRUNC,   O_TMPFILE | O_RDWR,
                            kTmpfile,         O_ACCMODE, O_RDWR | O_CLOEXEC | O_APPEND,
                            O_PATH | O_WRONLY};
    for (const std::uint64_t high : {0ULL, 0xffffffffULL << 32}) {
        for (const int flags : reading)
            EXPECT_EQ(gives(SYS_openat, {0, 0, static_cast<std::uint64_t>(flags) | high}),
                      reads() ? Gives::notify : Gives::allow)
                << flags;
        for (const int flags : changing)
            EXPECT_EQ(gives(SYS_openat, {0, 0, static_cast<std::uint64_t>(flags) | high}), Gives::notify)
                << flags;
    }
#ifdef SYS_open
    EXPECT_EQ(gives(SYS_open, {0, O_WRONLY}), Gives::notify);
    EXPECT_EQ(gives(SYS_open, {0, O_RDONLY, O_WRONLY}), reads() ? Gives::notify : Gives::allow);
#endif
}

TEST_P(NotifyFilter, RefusesWhatCannotBeHandedOver) {
    EXPECT_EQ(gives(SYS_openat2), Gives::enosys);
    EXPECT_EQ(gives(SYS_ioctl, {3, FS_IOC_SETFLAGS}), Gives::eperm);
    EXPECT_EQ(gives(SYS_ioctl, {3, FS_IOC_SETFLAGS | 1ULL << 40}), Gives::eperm);
    EXPECT_EQ(gives(SYS_ioctl, {3, FS_IOC_FSSETXATTR}), Gives::eperm);
    EXPECT_EQ(gives(SYS_ioctl, {3, FS_IOC_GETFLAGS}), Gives::allow);
}

TEST_P(NotifyFilter, LetsTheRestPass) {
    for (const int number :
         {SYS_read, SYS_write, SYS_close, SYS_newfstatat, SYS_mmap, SYS_ftruncate, SYS_execve})
        EXPECT_EQ(gives(number), Gives::allow) << number;
}

INSTANTIATE_TEST_SUITE_P(Variants, NotifyFilter, testing::Values(false, true),
                         [](const auto& variant) { return variant.param ? "WithReads" : "WithoutReads"; });

}  // namespace
}  // namespace reeve::platform::confine
