#include "diffuse/data/survey.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "diffuse/base/error.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

std::string numbered_rows(int rows) {
  std::string csv;
  for (int i = 0; i < rows; ++i)
    csv.append(i % 3 == 0 ? "b" : "a").append(",text ").append(std::to_string(i)).append("\n");
  return csv;
}

TEST(Survey, CountsRowsBytesAndClasses) {
  const testing::TempDir dir;
  const auto path = dir.write("t.csv", "a,one two\nb,three\na,four\n");
  const DataSurvey survey = survey_training_file(path, {}, 100, 1000);
  EXPECT_EQ(survey.rows, 3);
  EXPECT_EQ(survey.text_bytes, 16);
  EXPECT_THAT(survey.class_names, ElementsAre("a", "b"));
  EXPECT_THAT(survey.sample_texts, ElementsAre("one two", "three", "four"));
  EXPECT_THAT(survey.sample_labels, ElementsAre(0, 1, 0));
}

TEST(Survey, KeepsRowsEvenlyFromTheWholeFile) {
  const testing::TempDir dir;
  const auto path = dir.write("t.csv", numbered_rows(1000));
  const DataSurvey survey = survey_training_file(path, {}, 300, 1'000'000);
  EXPECT_EQ(survey.rows, 1000);
  ASSERT_EQ(survey.sample_texts.size(), 250U);
  for (std::size_t i = 0; i < 250; ++i) {
    EXPECT_EQ(survey.sample_texts[i], "text " + std::to_string(4 * i));
    EXPECT_EQ(survey.class_names[static_cast<std::size_t>(survey.sample_labels[i])],
              4 * i % 3 == 0 ? "b" : "a");
  }
}

TEST(Survey, KeepsNoMoreBytesThanAsked) {
  const testing::TempDir dir;
  const auto path = dir.write("t.csv", numbered_rows(1000));
  std::size_t bytes = 0;
  for (const std::string& text : survey_training_file(path, {}, 1000, 2000).sample_texts)
    bytes += text.size();
  EXPECT_LE(bytes, 2000U);
  EXPECT_GT(bytes, 900U);
}

TEST(Survey, PassesOverBadRowsAndStopsAtTheMostRows) {
  const testing::TempDir dir;
  const auto path = dir.write("t.csv", "a,one\nb\na,two\nb,three\n");
  EXPECT_EQ(survey_training_file(path, {}, 100, 1000).rows, 3);
  DataConfig data;
  data.max_rows = 2;
  EXPECT_EQ(survey_training_file(path, data, 100, 1000).rows, 2);
}

TEST(Survey, IsOfTheRowsThatItIsAskedAbout) {
  const testing::TempDir dir;
  const auto path = dir.write("t.csv", "a,one\nb\na,two\nb,three\nc,four\n");
  const std::vector<bool> rows = {true, false, false, true, false};  // the bad one is one of them
  const DataSurvey survey = survey_training_file(path, {}, 100, 1000, &rows);
  EXPECT_EQ(survey.rows, 2);
  EXPECT_THAT(survey.sample_texts, ElementsAre("one", "three"));
  EXPECT_THAT(survey.class_names, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace diffuse
