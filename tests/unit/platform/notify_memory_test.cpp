// Reading another thread's memory, here this process's own: what the calls themselves would say of it.
#include <errno.h>
#include <gtest/gtest.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>

#include "platform/linux/notify/memory.hpp"

namespace reeve::platform::notify {
namespace {

constexpr std::size_t kPage = 4096;

// Two pages, with nothing behind them.
class Memory : public testing::Test {
  protected:
    void SetUp() override {
        void* at = ::mmap(nullptr, 3 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ASSERT_NE(at, MAP_FAILED);
        pages_ = static_cast<char*>(at);
        ASSERT_EQ(::munmap(pages_ + 2 * kPage, kPage), 0);
    }
    void TearDown() override { ::munmap(pages_, 2 * kPage); }
    std::uint64_t address(std::size_t from) const { return reinterpret_cast<std::uint64_t>(pages_ + from); }
    int path(std::size_t from, std::string& text) {
        return read_text(::getpid(), address(from), PATH_MAX, ENAMETOOLONG, text);
    }
    void put(std::size_t at, const std::string& text) {
        std::memcpy(pages_ + at, text.c_str(), text.size() + 1);
    }
    char* pages_ = nullptr;
};

TEST_F(Memory, TextWhereverItLies) {
    std::string text;
    put(0, "start");
    EXPECT_EQ(path(0, text), 0);
    EXPECT_EQ(text, "start");
    put(kPage - 3, "across the pages");
    EXPECT_EQ(path(kPage - 3, text), 0);
    EXPECT_EQ(text, "across the pages");
    put(2 * kPage - 4, "end");
    EXPECT_EQ(path(2 * kPage - 4, text), 0);
    EXPECT_EQ(text, "end");
    EXPECT_EQ(path(2 * kPage - 1, text), 0);
    EXPECT_EQ(text, "");
}

TEST_F(Memory, TextWithoutAnEnd) {
    std::string text;
    std::memset(pages_, 'x', 2 * kPage);
    EXPECT_EQ(path(0, text), ENAMETOOLONG);
    EXPECT_EQ(path(kPage + 1, text), EFAULT);
    EXPECT_EQ(path(2 * kPage, text), EFAULT);
    pages_[PATH_MAX] = 0;  // one byte too many, and the most that there can be
    EXPECT_EQ(path(0, text), ENAMETOOLONG);
    EXPECT_EQ(path(1, text), 0);
    EXPECT_EQ(text.size(), PATH_MAX - 1u);
}

TEST_F(Memory, AllOrNothing) {
    char bytes[16];
    EXPECT_EQ(read_memory(::getpid(), address(2 * kPage - 16), bytes, 16), 0);
    EXPECT_EQ(read_memory(::getpid(), address(2 * kPage - 8), bytes, 16), EFAULT);
    EXPECT_EQ(read_memory(::getpid(), 0, bytes, 16), EFAULT);
    EXPECT_EQ(read_memory(::getpid(), 0, bytes, 0), 0);
}

}  // namespace
}  // namespace reeve::platform::notify
