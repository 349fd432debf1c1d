// The parser of fanotify events against bytes that a kernel wrote (Linux 6.18, x86_64) and against broken
// ones.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/fanotify.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "platform/watch.hpp"

namespace reeve::platform::watch {
namespace {

using testing::SizeIs;

std::string from_hex(std::string_view text) {
    std::string out;
    int digits = 0, value = 0;
    for (const char each : text) {
        if (each == ' ') continue;
        value = value * 16 + (each <= '9' ? each - '0' : each - 'a' + 10);
        if (++digits % 2 == 0) {
            out.push_back(static_cast<char>(value));
            value = 0;
        }
    }
    return out;
}

// An open of "file" in the root of a tmpfs, as it stands in the capture tmpfs-names.
const std::string kOpenOfFile = from_hex(
    "40000000 03 00 1800 2000000000000000 ffffffff 47790000"
    "02 00 2800 f9346e763a514157 0c000000 01000000 a5d27338 01000000 00000000 66696c6500000000");
const std::string kOverflow = from_hex("18000000 03 00 1800 0040000000000000 ffffffff 00000000");
// A descriptor group: no information record.
const std::string kWrittenByDescriptor = from_hex("18000000 03 00 1800 0800000000000000 ffffffff 47790000");

Status parse_text(const std::string& bytes, std::vector<Event>& events) {
    return parse({bytes.data(), bytes.size()}, events);
}

TEST(ParseEvents, AnOpenWithHandleAndName) {
    std::vector<Event> events;
    ASSERT_TRUE(parse_text(kOpenOfFile, events));
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kinds, kOpened);
    EXPECT_EQ(events[0].pid, 0x7947);
    EXPECT_EQ(events[0].name, "file");
    EXPECT_EQ(events[0].directory.size(), 8U + 8U + 12U);
    EXPECT_EQ(events[0].fd, -1);
}

// One read each: a file is opened for reading, its directory is listed, a file whose name is not text is
// written, a program is run. The captures are the fuzzer's corpus too.
TEST(ParseEvents, CapturesOfRealReads) {
    for (const std::string name : {"tmpfs-names", "ext4-names", "tmpfs-fid-pidfd", "tmpfs-descriptors"}) {
        std::ifstream file(std::string(REEVE_SOURCE "/tests/fuzz/corpus/watch_events/") + name,
                           std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        std::vector<Event> events;
        ASSERT_TRUE(parse_text(bytes, events)) << name;
        ASSERT_THAT(events, SizeIs(4)) << name;
        const bool names = name != "tmpfs-descriptors";
        // A group of descriptors does not say that it is a directory: the reader looks.
        const unsigned kinds[] = {kOpened, names ? kListed : kOpened, kOpened | kWritten,
                                  kOpened | kExecuted};
        const std::string_view in[] = {"file", ".", "n\xff\n", "prog"};
        for (std::size_t i = 0; i < 4; ++i) {
            EXPECT_EQ(events[i].kinds, kinds[i]) << name << i;
            EXPECT_EQ(events[i].name, names ? in[i] : "") << name << i;
            EXPECT_EQ(events[i].fd >= 0, !names) << name << i;
            EXPECT_EQ(events[i].directory, events[0].directory) << name << i;
        }
    }
}

TEST(ParseEvents, SeveralInOneRead) {
    std::vector<Event> events;
    const std::string bytes = kOpenOfFile + kOverflow + kWrittenByDescriptor + kOpenOfFile;
    ASSERT_TRUE(parse_text(bytes, events));
    ASSERT_THAT(events, SizeIs(4));
    EXPECT_TRUE(events[1].overflow);
    EXPECT_EQ(events[1].kinds, 0U);
    EXPECT_EQ(events[2].kinds, kWritten);
    EXPECT_EQ(events[3].name, "file");
}

TEST(ParseEvents, AnOpenedDirectoryIsListed) {
    std::string bytes = kOpenOfFile;
    const std::uint64_t mask = FAN_OPEN | FAN_ONDIR | FAN_OPEN_EXEC;
    std::memcpy(bytes.data() + 8, &mask, sizeof mask);
    std::vector<Event> events;
    ASSERT_TRUE(parse_text(bytes, events));
    EXPECT_EQ(events[0].kinds, kListed | kExecuted);
}

TEST(ParseEvents, UnknownRecordsAreSteppedOver) {
    std::string bytes = kOpenOfFile + from_hex("63 00 0800 01020304");
    bytes[0] = static_cast<char>(bytes.size());
    std::vector<Event> events;
    ASSERT_TRUE(parse_text(bytes, events));
    EXPECT_EQ(events[0].name, "file");
}

// Every length field wrong in turn, and every cut: an error or a parse, never a read outside (the fuzz target
// and the address sanitizer look closer).
TEST(ParseEvents, BrokenLengthsAreErrors) {
    const auto broken = [](std::size_t at, unsigned char value) {
        std::string bytes = kOpenOfFile;
        bytes[at] = static_cast<char>(value);
        std::vector<Event> events;
        return !parse_text(bytes, events).has_value();
    };
    EXPECT_TRUE(broken(0, 0));      // event_len: would never end
    EXPECT_TRUE(broken(0, 65));     // more than there is
    EXPECT_TRUE(broken(4, 2));      // version
    EXPECT_TRUE(broken(6, 8));      // metadata_len below the metadata
    EXPECT_TRUE(broken(26, 0));     // record length: would never end
    EXPECT_TRUE(broken(26, 41));    // more than the event
    EXPECT_TRUE(broken(36, 0xff));  // handle_bytes
    for (std::size_t size = 1; size < kOpenOfFile.size(); ++size) {
        std::vector<Event> events;
        EXPECT_FALSE(parse_text(kOpenOfFile.substr(0, size), events)) << size;
    }
}

TEST(ParseEvents, ANameWithoutAnEndIsAnError) {
    std::string bytes = kOpenOfFile;
    std::memset(bytes.data() + bytes.size() - 4, 'x', 4);
    std::vector<Event> events;
    EXPECT_FALSE(parse_text(bytes, events));
    EXPECT_THAT(events, SizeIs(1)) << "kept, so that its descriptor is closed";
}

}  // namespace
}  // namespace reeve::platform::watch
