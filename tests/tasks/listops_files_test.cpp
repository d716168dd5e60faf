#include "diffuse/tasks/listops_files.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::message_of;
using testing::TempDir;

void no_progress(Split, std::int64_t, std::int64_t) {}

ListOpsTask small_task() {
  return {.rules = {.max_depth = 4, .min_tokens = 8, .max_tokens = 60},
          .seed = 3,
          .rows = {.train = 3000, .validation = 40, .test = 50}};
}

/// Each file's name and bytes.
std::map<std::string, std::string> files_of(const ListOpsTask& task, int threads) {
  const TempDir folder;
  WorkerPool pool(threads);
  std::map<std::string, std::string> files;
  for (const ListOpsSummary& summary : write_listops(task, folder.path(), pool, no_progress))
    files[summary.file.name] = read_file(folder.path() / summary.file.name);
  return files;
}

TEST(ListOpsFiles, AreTheSameWhateverTheThreads) {
  const auto one = files_of(small_task(), 1);
  EXPECT_EQ(one.size(), 3U);
  EXPECT_EQ(files_of(small_task(), 2), one);
  EXPECT_EQ(files_of(small_task(), 3), one);
  ListOpsTask other = small_task();
  other.seed = 4;
  EXPECT_NE(files_of(other, 2).at("train.tsv"), one.at("train.tsv"));
}

/// A seed stands for its data: whoever changes what is drawn changes this, and says so in the
/// changelog.
TEST(ListOpsFiles, AreThoseOfTheirSeed) {
  const TempDir folder;
  WorkerPool pool(2);
  const auto summaries =
      write_listops({.seed = 1, .rows = {.train = 200, .validation = 20, .test = 20}},
                    folder.path(), pool, no_progress);
  ASSERT_EQ(summaries.size(), 3U);
  EXPECT_EQ(summaries[0].file.name, "train.tsv");
  EXPECT_EQ(summaries[0].file.xxh3_128, "18f50bf003262cb1c988e73b51fc7b87");
  EXPECT_EQ(summaries[1].file.xxh3_128, "a0b5d84bdf45c5c94584fa68f16e755b");
  EXPECT_EQ(summaries[2].file.xxh3_128, "2d466ca9ce70ab09e78b26eb7c6de891");
}

TEST(ListOpsFiles, TestRowsStayWhenThereAreMoreOfTheOthers) {
  ListOpsTask more = small_task();
  more.rows.train += 500;
  const auto files = files_of(small_task(), 2);
  const auto grown = files_of(more, 2);
  EXPECT_EQ(grown.at("test.tsv"), files.at("test.tsv"));
  EXPECT_EQ(grown.at("validation.tsv"), files.at("validation.tsv"));
  EXPECT_TRUE(grown.at("train.tsv").starts_with(files.at("train.tsv")));
}

TEST(ListOpsFiles, HoldValuesAndTextsAndNoTextTwice) {
  const TempDir folder;
  WorkerPool pool(2);
  const ListOpsTask task{
      .rules = {.max_depth = 2, .max_arguments = 2, .min_tokens = 4, .max_tokens = 4},
      .rows = {.train = 200, .validation = 90, .test = 90}};
  std::set<std::string> texts;
  std::int64_t duplicates = 0;
  for (const ListOpsSummary& summary : write_listops(task, folder.path(), pool, no_progress)) {
    std::ifstream file(folder.path() / summary.file.name);
    std::string line;
    std::getline(file, line);
    EXPECT_EQ(line, "label\ttext");
    std::array<std::int64_t, kListOpsClasses> classes{};
    while (std::getline(file, line)) {
      const std::string text = line.substr(2);
      EXPECT_TRUE(texts.insert(text).second) << text;
      const int value = listops_value(parse_listops(text));
      EXPECT_EQ(std::to_string(value) + "\t", line.substr(0, 2));
      ++classes.at(static_cast<std::size_t>(value));
    }
    EXPECT_EQ(summary.classes, classes);
    EXPECT_EQ(std::accumulate(classes.begin(), classes.end(), std::int64_t{0}), summary.rows);
    EXPECT_EQ(length_quantile(summary, 0.5), 4);
    duplicates += summary.duplicates;
  }
  EXPECT_EQ(texts.size(), 380U) << "of 400 that there are";
  EXPECT_GT(duplicates, 100);
}

TEST(ListOpsFiles, TheArenasNotationHasTheArenasColumns) {
  ListOpsTask task = small_task();
  task.notation = ListOpsNotation::arena;
  std::istringstream file(files_of(task, 2).at("test.tsv"));
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "Source\tTarget");
  std::getline(file, line);
  const std::size_t tab = line.find('\t');
  EXPECT_EQ(std::to_string(listops_value(parse_listops(line.substr(0, tab)))),
            line.substr(tab + 1));
}

TEST(ListOpsFiles, TooFewExpressionsAreToldOf) {
  const TempDir folder;
  WorkerPool pool(2);
  const auto message = [&](const ListOpsRules& rules) {
    return message_of<UsageError>([&] {
      write_listops({.rules = rules, .rows = {.train = 30}}, folder.path(), pool, no_progress);
    });
  };
  EXPECT_THAT(
      message({.min_tokens = 1, .max_tokens = 1}),
      HasSubstr("there are too few different expressions of 1 to 1 tokens: after 10 of them"));
  EXPECT_THAT(
      message({.max_depth = 3, .min_tokens = 110, .max_tokens = 122}),
      HasSubstr("of a million expressions with at most 3 levels and 10 arguments none had 110 to"));
}

}  // namespace
}  // namespace diffuse
