#include "diffuse/report/event_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "report/crc32c.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

std::string event_file_fault(const std::filesystem::path& folder) {
  try {
    const EventFile file(folder);
  } catch (const SystemError& error) {
    return error.what();
  }
  return "no error";
}

/// The events of a file, each with its length and both checksums looked at.
std::vector<std::string> events_of(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  const auto number = [&](std::size_t at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value |= std::uint64_t{static_cast<unsigned char>(content.at(at + i))} << (8 * i);
    return value;
  };
  std::vector<std::string> events;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t length = number(at, 8);
    EXPECT_EQ(number(at + 8, 4), masked_crc32c(content.substr(at, 8)));
    events.push_back(content.substr(at + 12, length));
    EXPECT_EQ(number(at + 12 + length, 4), masked_crc32c(events.back()));
    at += 16 + length;
  }
  return events;
}

TEST(EventFile, BeginsWithTheVersion) {
  const testing::TempDir dir;
  const EventFile file(dir.path() / "new/folder");
  EXPECT_EQ(file.path().parent_path(), dir.path() / "new/folder");
  EXPECT_THAT(file.path().filename().string(),
              MatchesRegex("events\\.out\\.tfevents\\.[0-9]+\\..+\\.[0-9]+\\.0"));
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_THAT(events[0], StartsWith("\x09"));  // wall_time, eight bytes
  EXPECT_THAT(events[0], EndsWith("\x1A\x0D"
                                  "brain.Event:2"));
}

TEST(EventFile, BytesOfAScalar) {
  const testing::TempDir dir;
  EventFile file(dir.path());
  file.add_scalar("a", 300, 1.5, 2.0);
  const auto events = events_of(file.path());
  ASSERT_EQ(events.size(), 2U);
  // wall_time 2.0; step 300 as a varint; summary { value { tag "a", simple_value 1.5f } }.
  EXPECT_EQ(events[1], std::string("\x09\0\0\0\0\0\0\0\x40"
                                   "\x10\xAC\x02"
                                   "\x2A\x0A\x0A\x08"
                                   "\x0A\x01"
                                   "a"
                                   "\x15\0\0\xC0\x3F",
                                   24));
}

TEST(EventFile, BytesOfARestart) {
  const testing::TempDir dir;
  EventFile file(dir.path());
  file.add_restart(5, 2.0);
  EXPECT_EQ(events_of(file.path()).at(1),
            std::string("\x09\0\0\0\0\0\0\0\x40\x10\x05\x3A\x02\x08\x01", 15));
}

TEST(EventFile, EachCallIsOnDiskAndEachFileIsAnother) {
  const testing::TempDir dir;
  EventFile first(dir.path());
  EventFile second(dir.path());
  first.add_scalar("a", 1, 1, 1);
  EXPECT_NE(first.path(), second.path());
  EXPECT_EQ(events_of(first.path()).size(), 2U);
  EXPECT_EQ(events_of(second.path()).size(), 1U);
}

TEST(EventFile, FolderThatCannotBe) {
  const testing::TempDir dir;
  const auto file = dir.write("file", "");
  EXPECT_EQ(event_file_fault(file / "tensorboard"),
            (file / "tensorboard").string() + ": cannot be created: Not a directory.");
}

TEST(EventFile, FolderWithoutRoomForFiles) {
  const std::string message = event_file_fault("/proc/self/fdinfo");
  EXPECT_THAT(message, StartsWith("/proc/self/fdinfo/events.out.tfevents."));
  EXPECT_THAT(message, HasSubstr(": cannot be created: "));
}

/// No file may grow beyond `bytes` while it lives.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST(EventFile, AWriteThatFails) {
  const testing::TempDir dir;
  EventFile file(dir.path());
  const FileSizeLimit limit(std::filesystem::file_size(file.path()));
  try {
    file.add_scalar("a", 1, 1, 1);
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.what(), file.path().string() + ": cannot be written: File too large.");
  }
}

}  // namespace
}  // namespace diffuse
