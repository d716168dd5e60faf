#include "diffuse/tasks/pathfinder_files.hpp"

#include <gmock/gmock.h>

#include <map>
#include <sstream>

#include "diffuse/base/files.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using testing::TempDir;

void untold(Split, std::int64_t, std::int64_t) {}

constexpr SplitRows kFew{.train = 2100, .validation = 20, .test = 30};

std::map<std::string, std::string> pathfinder_files(const PathfinderTask& task, int threads) {
  const TempDir folder;
  WorkerPool pool(threads);
  std::map<std::string, std::string> files;
  for (const PathfinderSummary& summary : write_pathfinder(task, folder.path(), pool, untold)) {
    files[summary.file.name] = read_file(folder.path() / summary.file.name);
    files[summary.markers_file.name] = read_file(folder.path() / summary.markers_file.name);
  }
  return files;
}

TEST(PathfinderFiles, AreTheSameWhateverTheThreads) {
  const PathfinderTask task{.rules = {pathfinder_rules(6)}, .seed = 9, .rows = kFew};
  const auto one = pathfinder_files(task, 1);
  EXPECT_EQ(one.size(), 6U);
  EXPECT_EQ(pathfinder_files(task, 2), one);
  EXPECT_EQ(pathfinder_files(task, 3), one);
}

TEST(PathfinderFiles, OfSeveralRulesHaveRowsOfEach) {
  const TempDir folder;
  WorkerPool pool(2);
  const PathfinderTask task{
      .rules = {{.contour_length = 3, .distractors = 0}, {.contour_length = 12, .distractors = 0}},
      .seed = 4,
      .rows = {.train = 400}};
  write_pathfinder(task, folder.path(), pool, untold);
  std::istringstream markers(read_file(folder.path() / "train.markers.tsv"));
  int near = 0;
  int far = 0;
  std::string line;
  for (std::getline(markers, line); std::getline(markers, line);) {
    const std::string path = line.substr(line.rfind('\t') + 1);
    if (path.empty()) continue;
    // Three dashes go 9 pixels, twelve some 40.
    ++(std::stod(path) < 20 ? near : far);
  }
  // Half of 200 connected ones each; the standard deviation is 10.
  EXPECT_GT(near, 60);
  EXPECT_GT(far, 60);
}

/// A seed stands for its data: whoever changes what is drawn changes this, and says so in the
/// changelog.
TEST(PathfinderFiles, AreThoseOfTheirSeed) {
  const TempDir folder;
  WorkerPool pool(2);
  const auto summaries =
      write_pathfinder({.seed = 1, .rows = {.train = 100, .validation = 10, .test = 10}},
                       folder.path(), pool, untold);
  ASSERT_EQ(summaries.size(), 3U);
  EXPECT_EQ(summaries[0].file.xxh3_128, "9a8e9ac759af86b4da186b9f14d2bbe6");
  EXPECT_EQ(summaries[0].markers_file.xxh3_128, "fdcd44ccc89589572929520799fc0328");
  EXPECT_EQ(summaries[2].file.xxh3_128, "9d65871c8b210d966e777ecd0311da1d");
}

TEST(PathfinderFiles, RowsAreALabelAndItsPixelsBesideTheirDiscs) {
  const TempDir folder;
  WorkerPool pool(2);
  const PathfinderTask task{.seed = 4, .rows = {.train = 60}};
  const auto summaries = write_pathfinder(task, folder.path(), pool, untold);
  ASSERT_EQ(summaries.size(), 1U) << "no file of no rows";
  const PathfinderSummary& summary = summaries.front();
  const std::string rows = read_file(folder.path() / "train.bin");
  ASSERT_EQ(rows.size(), 60U * 1025);
  EXPECT_EQ(summary.file.bytes, std::ssize(rows));
  std::istringstream markers(read_file(folder.path() / "train.markers.tsv"));
  std::string line;
  std::getline(markers, line);
  EXPECT_EQ(line, "row\tlabel\ty1\tx1\ty2\tx2\tdistance\tpath");
  std::int64_t connected = 0;
  const PathfinderPainter painter;
  for (int row = 0; row < 60; ++row) {
    Random random = row_random(4, Split::train, row);
    const PathfinderScene scene = painter.draw({}, random);
    const std::string_view bytes =
        std::string_view(rows).substr(static_cast<std::size_t>(row) * 1025, 1025);
    EXPECT_EQ(bytes[0], scene.connected ? 1 : 0);
    for (std::size_t i = 0; i < 1024; ++i)
      ASSERT_EQ(static_cast<std::uint8_t>(bytes[i + 1]), scene.pixels[i]);
    std::getline(markers, line);
    EXPECT_TRUE(
        line.starts_with(std::to_string(row + 1) + "\t" + (scene.connected ? "1\t" : "0\t")))
        << line;
    EXPECT_EQ(line.ends_with('\t'), !scene.connected) << "a way only where there is one";
    connected += scene.connected ? 1 : 0;
  }
  EXPECT_EQ(summary.connected, connected);
}

/// Labels are even, and the discs' distance, which needs no contours, tells next to nothing.
TEST(PathfinderFiles, NeitherTheLabelsNorTheDistanceGiveTheAnswerAway) {
  const TempDir folder;
  WorkerPool pool(2);
  const auto summary =
      write_pathfinder({.seed = 7, .rows = {.train = 3000}}, folder.path(), pool, untold).front();
  EXPECT_NEAR(static_cast<double>(summary.connected) / 3000, 0.5, 0.03);
  EXPECT_LT(best_by_distance(summary), 0.56);
  EXPECT_GE(best_by_distance(summary), 0.5);
  EXPECT_NEAR(static_cast<double>(summary.lit) / 3000 / 1024, 0.112, 0.01);
}

TEST(PathfinderFiles, ADistanceThatTellsWouldBeFound) {
  PathfinderSummary summary;
  summary.rows = 10;
  summary.connected = 4;
  summary.distances[0][5] = 6;
  summary.distances[1][4] = 3;
  summary.distances[1][9] = 1;
  EXPECT_DOUBLE_EQ(best_by_distance(summary), 0.9);
  EXPECT_EQ(best_by_distance({}), 0);
}

}  // namespace
}  // namespace diffuse
