// Rows of 1,025 bytes: a label and 32 x 32 values.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/base/error.hpp"
#include "diffuse/data/records.hpp"
#include "support/gzip.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;

/// A label and values that go up from `first`, those above 255 from 0 again.
std::string pixel_row(int label, int first) {
  std::string row(1, static_cast<char>(label));
  for (int i = 0; i < 1024; ++i) row.push_back(static_cast<char>((first + i) % 256));
  return row;
}

TEST(PixelRecords, HaveALabelAndTheValuesAsTheyAre) {
  const testing::TempDir dir;
  const std::string content = pixel_row(3, 0) + pixel_row(200, 10);
  dir.write("a.bin", content);
  dir.write("b.bin.gz", testing::gzip(content));
  for (const char* name : {"a.bin", "b.bin.gz"}) {
    const auto reader = open_records(dir.path() / name, {});
    EXPECT_EQ(reader->layout(), nullptr);
    Example example;
    BadRow bad;
    ASSERT_EQ(reader->next(example, bad), ReadStatus::row);
    EXPECT_EQ(example.label, "3");
    EXPECT_EQ(example.text, content.substr(1, 1024));
    EXPECT_EQ(example.line, 1U);
    ASSERT_EQ(reader->next(example, bad), ReadStatus::row);
    EXPECT_EQ(example.label, "200");
    EXPECT_EQ(example.text, content.substr(1026));
    EXPECT_EQ(example.line, 2U);
    EXPECT_EQ(reader->next(example, bad), ReadStatus::end);
    EXPECT_EQ(reader->layout()->format, FileFormat::pixels);
    EXPECT_THAT(reader->layout()->description, HasSubstr("1,024 values"));
  }
}

TEST(PixelRecords, AFileThatEndsInsideARowIsRefused) {
  const testing::TempDir dir;
  dir.write("a.bin", pixel_row(3, 0) + "xy");
  const auto reader = open_records(dir.path() / "a.bin", {});
  Example example;
  BadRow bad;
  ASSERT_EQ(reader->next(example, bad), ReadStatus::row);
  EXPECT_THAT(testing::message_of<DataError>([&] { reader->next(example, bad); }),
              HasSubstr("a.bin: row 2 has 2 bytes; expected 1025 in each"));
}

TEST(PixelRecords, HaveNoColumnsToKeep) {
  const testing::TempDir dir;
  dir.write("a.bin", pixel_row(3, 0));
  ReadOptions options;
  options.keep = {"id"};
  EXPECT_THAT(
      testing::message_of<DataError>([&] { open_records(dir.path() / "a.bin", {}, options); }),
      HasSubstr("rows of pixels have no other columns to keep (id)"));
}

}  // namespace
}  // namespace diffuse
