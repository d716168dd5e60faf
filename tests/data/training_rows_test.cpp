#include "diffuse/data/training_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "data/loading.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using testing::expect_equal;
using ::testing::HasSubstr;
using testing::Loading;
using testing::LogCapture;
using testing::message_of;
using ::testing::Not;

/// A training file of 40 rows, loaded as for a training, and what its model would know.
class TrainingRowsTest : public Loading {
 protected:
  TrainingRowsTest() {
    ngrams_.max = 2;
    std::string content;
    for (int i = 0; i < 40; ++i)
      content += (i % 2 == 0 ? "warm,red " : "cold,blue ") + std::to_string(i * 7 % 40) + "\n";
    train_on(content);
  }

  TrainingData load_all() { return load_training_data(data_, words_, kSeed, 2, {}, ngrams_); }
  TrainingRows read_again(const TrainingData& loaded) {
    return read_training_rows({.tokenizer_config = words_,
                               .tokenizer = *loaded.tokenizer,
                               .labels = loaded.labels,
                               .ngrams = loaded.ngrams ? &*loaded.ngrams : nullptr,
                               .facts = loaded.facts,
                               .texts = loaded.facts.different_texts},
                              data_, kSeed, 2);
  }
  static void expect_the_same(const TrainingRows& rows, const TrainingData& loaded) {
    expect_equal(*rows.file, *loaded.train_file);
    EXPECT_EQ(rows.train.rows, loaded.train.rows);
    for (std::size_t i = 0; i < rows.file->size(); ++i) {
      const auto own = rows.file->ngrams().row(i);
      const auto wanted = loaded.train_file->ngrams().row(i);
      EXPECT_TRUE(std::ranges::equal(own, wanted)) << i;
      EXPECT_EQ(rows.file->targets().weight(i), loaded.train_file->targets().weight(i)) << i;
    }
  }

  static constexpr std::int64_t kSeed = 3;
  NgramConfig ngrams_;
};

TEST_F(TrainingRowsTest, AreThoseOfTheTrainingAndPartedAsItDid) {
  const TrainingData loaded = load_all();
  ASSERT_EQ(loaded.validation.size(), 10U);
  const LogCapture log;
  const TrainingRows rows = read_again(loaded);
  expect_the_same(rows, loaded);
  EXPECT_EQ(rows.validation.rows, loaded.validation.rows);
  EXPECT_EQ(rows.validation.data, rows.file.get());
  EXPECT_EQ(log.text(), "") << "training has told of it";
}

TEST_F(TrainingRowsTest, LeaveOutWhatWasTestedAndWhatIsBeyondMaxRows) {
  data_.test_fraction = 0.2;
  data_.max_rows = 30;
  const TrainingData loaded = load_all();
  const TrainingRows rows = read_again(loaded);
  EXPECT_EQ(rows.file->size(), 24U);
  expect_the_same(rows, loaded);
  EXPECT_EQ(rows.validation.rows, loaded.validation.rows);
}

TEST_F(TrainingRowsTest, OfAModelWithAValidationFileAreAllOfTheirs) {
  data_.validation = write("v.csv", "warm,red\ncold,blue\n");
  const TrainingData loaded = load_all();
  const TrainingRows rows = read_again(loaded);
  EXPECT_EQ(rows.train.size(), 40U);
  EXPECT_EQ(rows.validation.size(), 0U);
}

TEST_F(TrainingRowsTest, OfAModelThatChoseNothingByThemselvesSayNoMoreOfIt) {
  data_.validation_fraction = -1;
  const TrainingData loaded = load_all();
  const LogCapture log;
  EXPECT_EQ(read_again(loaded).validation.size(), 0U);
  EXPECT_EQ(log.text(), "");
}

TEST_F(TrainingRowsTest, HaveTheirWeightsAndSeveralLabels) {
  data_.label_separator = "|";
  data_.weight_column = "weight";
  std::string content = "label,text,weight\n";
  for (int i = 0; i < 40; ++i)
    content += (i % 5 == 0   ? "warm|cold"
                : i % 2 == 0 ? "warm"
                             : "cold") +
               std::string(",red ") + std::to_string(i) + "," + std::to_string(1 + i % 3) + "\n";
  train_on(content);
  const TrainingData loaded = load_all();
  const TrainingRows rows = read_again(loaded);
  expect_the_same(rows, loaded);
  EXPECT_EQ(rows.validation.rows, loaded.validation.rows);
  EXPECT_TRUE(rows.file->several_labels());
  EXPECT_EQ(rows.file->targets().weight(1), 2);
}

TEST_F(TrainingRowsTest, OfAnotherFileAreRefused) {
  const TrainingData loaded = load_all();
  const std::string message =
      "these are not the rows that the model was trained on: the file has changed since, or it is "
      "a model of `train --folds`, which knows a part of them; expected the file as it was";
  const auto told = [&] { return message_of<DataError>([&] { read_again(loaded); }); };
  data_.max_rows = 38;
  EXPECT_THAT(told(), AllOf(HasSubstr("train.csv: "), HasSubstr(message))) << "fewer rows";
  data_.max_rows = 0;
  std::string content;
  for (int i = 0; i < 40; ++i)
    content += (i % 2 == 0 ? "warm,red " : "cold,blue ") + std::to_string(i * 7 % 40 + 1) + "\n";
  train_on(content);
  EXPECT_THAT(told(), HasSubstr(message)) << "as many rows of each class";
  data_.train = data_.train.first() + "x";
  EXPECT_THAT(told(), AllOf(HasSubstr("data.train"), Not(HasSubstr(message))));
}

}  // namespace
}  // namespace diffuse
