#include "diffuse/data/chunk_memory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LogCapture;
using testing::TempDir;

TEST(ChunkMemory, WhatIsBeyondTheHeapsPartStandsInAFileWithoutAName) {
  const TempDir dir;
  ChunkMemory memory(dir.path(), 4096);
  std::vector<ChunkPiece<std::uint32_t>> pieces;
  for (int i = 0; i < 40; ++i) {
    pieces.push_back(memory.take<std::uint32_t>(512));  // 2,048 bytes
    EXPECT_EQ(pieces.back().on_heap(), i < 2) << i;
    EXPECT_EQ(pieces.back()[511], 0u);
    std::fill_n(pieces.back().get(), 512, static_cast<std::uint32_t>(i));
  }
  EXPECT_EQ(memory.file_bytes(), 38u * 2048);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(pieces[i][0], i);
    EXPECT_EQ(pieces[i][511], i);
  }
  const auto large = memory.take<std::uint32_t>(std::size_t{17} << 20);  // more than a mapping
  EXPECT_FALSE(large.on_heap());
  large[(std::size_t{17} << 20) - 1] = 7;
}

TEST(ChunkMemory, AFolderThatCannotBeWrittenIsAWarningAndTheHeapServes) {
  const TempDir dir;
  const auto file = dir.write("file", "no folder");
  const LogCapture log;
  ChunkMemory memory(file / "cache", 0);
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(memory.take<char>(100).on_heap());
  EXPECT_THAT(log.text(), HasSubstr("no room for encoded rows beyond 0 MB"));
  EXPECT_THAT(log.text(), HasSubstr("they are kept in memory instead (data.cache_dir names"));
  EXPECT_EQ(log.text().find("no room"), log.text().rfind("no room")) << "said once";
}

TEST(ChunkMemory, APieceThatShrinksKeepsItsFirstElements) {
  const TempDir dir;
  ChunkMemory memory(dir.path(), 400'000);
  for (const bool on_heap : {true, false}) {
    auto piece = memory.take<std::uint32_t>(100'000);
    ASSERT_EQ(piece.on_heap(), on_heap);
    for (std::size_t i = 0; i < 100'000; ++i) piece[i] = static_cast<std::uint32_t>(i);
    piece.shrink(5000);
    for (std::size_t i = 0; i < 5000; ++i) ASSERT_EQ(piece[i], i);
  }
}

TEST(ChunkMemory, WithoutAFolderAllIsOfTheHeap) {
  ChunkMemory memory;
  EXPECT_TRUE(memory.take<char>(1 << 20).on_heap());
  EXPECT_EQ(memory.file_bytes(), 0u);
}

TEST(MappedFile, ShowsTheFilesBytes) {
  const TempDir dir;
  const MappedFile file(dir.write("a", "bytes"));
  ASSERT_EQ(file.bytes().size(), 5u);
  EXPECT_EQ(static_cast<char>(file.bytes()[4]), 's');
  file.release_pages();
  EXPECT_EQ(static_cast<char>(file.bytes()[0]), 'b');
  EXPECT_THAT(MappedFile(dir.write("b", "")).bytes(), IsEmpty());
  EXPECT_THAT(testing::message_of<SystemError>([&] { MappedFile(dir.path() / "none"); }),
              HasSubstr("none: cannot be opened: No such file or directory"));
}

}  // namespace
}  // namespace diffuse
