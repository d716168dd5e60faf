#include "diffuse/eval/paired_comparison.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/error.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(McNemar, ValuesOfTheBinomialTest) {
  // scipy.stats.binomtest(k, n).pvalue
  EXPECT_EQ(mcnemar_p_value(0, 0), 1);
  EXPECT_EQ(mcnemar_p_value(5, 5), 1);
  EXPECT_NEAR(mcnemar_p_value(0, 1), 1, 1e-12);
  EXPECT_NEAR(mcnemar_p_value(0, 6), 0.03125, 1e-12);
  EXPECT_NEAR(mcnemar_p_value(8, 2), 0.109375, 1e-12);
  EXPECT_NEAR(mcnemar_p_value(2, 8), 0.109375, 1e-12);
  EXPECT_NEAR(mcnemar_p_value(124, 210), 2.9321817e-06, 1e-12);
  EXPECT_NEAR(mcnemar_p_value(1000, 1100), 0.030720708, 1e-8);
}

TEST(PairedComparison, CountsTheFourCases) {
  const std::vector<std::int32_t> gold = {0, 1, 2, 0, 1, 2};
  const std::vector<std::int32_t> here = {0, 1, 2, 0, 0, 0};
  const std::vector<std::int32_t> there = {0, 0, 0, 1, 1, 1};
  const PairedComparison found = compare_predictions(here, there, gold);
  EXPECT_EQ(found.both_right, 1);
  EXPECT_EQ(found.only_this_right, 3);
  EXPECT_EQ(found.only_other_right, 1);
  EXPECT_EQ(found.both_wrong, 1);
  EXPECT_DOUBLE_EQ(found.accuracy(), 4.0 / 6);
  EXPECT_DOUBLE_EQ(found.other_accuracy(), 2.0 / 6);
  EXPECT_NEAR(found.p_value, 0.625, 1e-12);
  EXPECT_EQ(paired_line(found, "b.tsv"),
            "against b.tsv  33.33 % there, 66.67 % here (+33.33 points)  only here right 3, only "
            "there 1  McNemar p = 0.63");
  const auto json = nlohmann::json::parse(paired_json(found, "b.tsv"));
  EXPECT_EQ(json["only_other_right"], 1);
  EXPECT_EQ(json["name"], "b.tsv");
  EXPECT_THROW(compare_predictions(here, there, {}), Error);
}

const Labels kPairedLabels({"sport", "a\tb"});
const std::vector<std::uint64_t> kRows = {1, 2, 5};
const std::vector<std::int32_t> kPairedGold = {0, 1, 0};

std::vector<std::int32_t> read(const std::string& content) {
  const testing::TempDir dir;
  return read_predictions(dir.write("p.tsv", content), kRows, kPairedGold, kPairedLabels);
}

TEST(ReadPredictions, InTheOrderOfTheRows) {
  EXPECT_THAT(read("row\tgold\tpredicted\tprobability\n5\tsport\ta\\tb\t0.5\n1\tsport\tsport\t1\n"
                   "2\ta\\tb\tsport\t0.7"),
              ElementsAre(0, 0, 1));
}

TEST(ReadPredictions, EveryFaultHasItsLine) {
  const std::string header = "row\tgold\tpredicted\tprobability\n";
  const std::string good = "1\tsport\tsport\t1\n2\ta\\tb\tsport\t0.7\n";
  const auto expect = [](const std::string& content, const std::string& message) {
    EXPECT_THAT([&] { read(content); }, ThrowsMessage<DataError>(HasSubstr(message)));
  };
  expect("", "row 1 is missing");
  expect("a\tb\n", "p.tsv:1: not a file of predictions");
  expect(header + "x\tsport\tsport\t1\n", "p.tsv:2: expected a row number");
  expect(header + "1\tsport\tsport\n", "p.tsv:2: expected a row number");
  expect(header + "1\tsport\tsport\t1\t2\n", "p.tsv:2: expected a row number");
  expect(header + "-1\tsport\tsport\t1\n", "p.tsv:2: expected a row number");
  expect(header + "3\tsport\tsport\t1\n", "p.tsv:2: row 3 is not among those evaluated");
  expect(header + "1\tsport\tball\t1\n", "p.tsv:2: \"ball\" is not a label");
  expect(header + "1\ta\\tb\tsport\t1\n", "p.tsv:2: row 1 has another gold label");
  expect(header + good + "1\tsport\tsport\t1\n", "p.tsv:4: row 1 stands twice");
  expect(header + good, "p.tsv: row 5 is missing; expected predictions of all 3 rows");
  const testing::TempDir dir;
  EXPECT_THROW(read_predictions(dir.path() / "gone", kRows, kPairedGold, kPairedLabels), DataError);
}

/// Rows of two classes: both labels, none, the second; and one label that the model lacks.
Gold several_gold() {
  return {.classes = 2,
          .labels = {0, -1, 1, 0},
          .several = true,
          .has = {1, 1, 0, 0, 0, 1, 1, 0},
          .unknown = {0, 0, 0, 1}};
}

TEST(RightRows, HaveAllOfTheirLabelsAndNoOther) {
  const std::vector<std::uint8_t> answers = {1, 1, 0, 1, 0, 1, 1, 0};
  EXPECT_THAT(right_rows(answers, several_gold()), ElementsAre(1, 0, 1, 0));
}

std::vector<std::int32_t> read_right(const std::string& content) {
  const testing::TempDir dir;
  const std::vector<std::uint64_t> rows = {1, 2, 5, 6};
  return read_right_rows(dir.write("p.tsv", "row\tgold\tpredicted\tprobability\n" + content), rows,
                         several_gold(), kPairedLabels, "||");
}

TEST(RightRows, AreReadWhateverTheOrderOfTheLabels) {
  EXPECT_THAT(read_right("5\ta\\tb\ta\\tb\t0.9\n1\ta\\tb||sport\tsport||a\\tb\t0.9||0.8\n"
                         "6\tsport||#unknown\tsport\t0.9\n2\t\tsport\t0.5\n"),
              ElementsAre(1, 0, 1, 0));
}

TEST(RightRows, EveryFaultHasItsLine) {
  const auto expect = [](const std::string& content, const std::string& message) {
    EXPECT_THAT([&] { read_right(content); }, ThrowsMessage<DataError>(HasSubstr(message)));
  };
  expect("1\tsport\tsport\t1\n", "p.tsv:2: row 1 has another gold label here");
  expect("6\tsport\tsport\t1\n", "p.tsv:2: row 6 has another gold label here");
  expect("2\t\tball\t1\n", "p.tsv:2: \"ball\" is not a label of this model.");
  expect("2\t\tsport|a\\tb\t1\n", "is not a label of this model.");
  expect("2\t\t\t\n2\t\t\t\n", "p.tsv:3: row 2 stands twice.");
  expect("2\t\t\t\n", "row 1 is missing; expected predictions of all 4 rows.");
}

TEST(RightRows, AreComparedAsPredictionsAre) {
  const PairedComparison found = compare_right_rows(std::vector<std::int32_t>{1, 1, 0, 0},
                                                    std::vector<std::int32_t>{1, 0, 1, 0});
  EXPECT_EQ(found.both_right, 1);
  EXPECT_EQ(found.only_this_right, 1);
  EXPECT_EQ(found.only_other_right, 1);
  EXPECT_EQ(found.both_wrong, 1);
}

}  // namespace
}  // namespace diffuse
