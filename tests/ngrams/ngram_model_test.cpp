#include "diffuse/ngrams/ngram_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/ngrams/ngram_fit.hpp"
#include "diffuse/ngrams/ngram_folds.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;
using testing::message_of;

/// Rows of n-gram numbers with labels.
class Rows {
 public:
  void add(std::int32_t label, const std::vector<NgramValue>& ngrams, float weight = 1) {
    const std::vector<std::int32_t> token = {1};
    RowTarget target = label;
    target.weight = weight;
    data_.append(token, target, 1);
    NgramTexts text;
    text.values = ngrams;
    text.offsets = {0, std::ssize(ngrams)};
    data_.ngrams().append(text);
  }
  DatasetView view() const { return view_all(data_); }

 private:
  EncodedDataset data_;
};

Rows three_rows() {
  Rows rows;
  rows.add(0, {{0, 1}, {1, 3}});
  rows.add(0, {{0, 1}});
  rows.add(1, {{0, 2}, {2, 1}});
  return rows;
}

TEST(NgramScale, TfidfIsTheInverseFrequency) {
  const std::vector<float> scale = ngram_scale(three_rows().view(), 4, 2, NgramWeighting::tfidf);
  EXPECT_THAT(scale, ElementsAre(FloatEq(1.0F), FloatEq(1 + std::log(4.0F / 2)),
                                 FloatEq(1 + std::log(4.0F / 2)), 0.0F));
}

TEST(NgramScale, BinaryIsOne) {
  EXPECT_THAT(ngram_scale(three_rows().view(), 4, 2, NgramWeighting::binary),
              ElementsAre(1, 1, 1, 0));
}

TEST(NgramScale, NaiveBayesIsTheLogarithmOfTheRatio) {
  // Class 0: n-grams 0, 1 in 2, 1 texts of 3 n-grams in all; class 1: 0 and 2 in one each of 2. One
  // more of each of four: 7 and 6.
  const std::vector<float> scale =
      ngram_scale(three_rows().view(), 4, 2, NgramWeighting::naive_bayes);
  EXPECT_THAT(scale, ElementsAre(FloatEq(std::abs(std::log(3.0F / 7) - std::log(2.0F / 6))),
                                 FloatEq(std::abs(std::log(2.0F / 7) - std::log(1.0F / 6))),
                                 FloatEq(std::abs(std::log(1.0F / 7) - std::log(2.0F / 6))), 0.0F));
}

TEST(WeighNgrams, GivesUnitLength) {
  std::vector<NgramValue> text = {{0, 1}, {1, 3}};
  const std::vector<float> scale = {1, 2};
  weigh_ngrams(text, scale, NgramWeighting::tfidf);
  const float second = 2 * (1 + std::log(3.0F));
  const float length = std::sqrt(1 + second * second);
  EXPECT_FLOAT_EQ(text[0].value, 1 / length);
  EXPECT_FLOAT_EQ(text[1].value, second / length);
  text = {{0, 1}, {1, 3}};
  weigh_ngrams(text, scale, NgramWeighting::naive_bayes);
  EXPECT_FLOAT_EQ(text[1].value, 2 / std::sqrt(5.0F)) << "how often does not count";
}

TEST(WeighNgrams, LeavesATextOfNothingKnownAtZero) {
  std::vector<NgramValue> text = {{1, 3}};
  weigh_ngrams(text, std::vector<float>{1, 0}, NgramWeighting::tfidf);
  EXPECT_EQ(text[0].value, 0);
}

TEST(NgramFolds, EachHasAsManyRowsOfAClass) {
  Rows rows;
  std::int32_t word = 0;
  for (const int label : {0, 1, 0, 0, 1, 0, 0, 1}) rows.add(label, {{word++, 1}});
  EXPECT_THAT(deal_to_folds(rows.view(), gold_of(rows.view(), 2).labels, 3),
              ElementsAre(0, 0, 1, 2, 1, 0, 1, 2));
}

TEST(NgramFolds, RowsOfTheSameNgramsStayTogether) {
  Rows rows;
  rows.add(0, {{3, 1}});
  rows.add(0, {{4, 1}});
  rows.add(0, {{3, 1}});
  rows.add(1, {{4, 1}});  // of another class
  rows.add(0, {{4, 2}});  // twice: another text
  rows.add(0, {});        // of which nothing is known
  rows.add(0, {});
  EXPECT_THAT(deal_to_folds(rows.view(), gold_of(rows.view(), 2).labels, 2),
              ElementsAre(0, 1, 0, 1, 1, 0, 1));
}

TEST(NgramFolds, NoneIsEmptyWhereFewTextsDiffer) {
  Rows rows;
  for (int i = 0; i < 20; ++i) rows.add(i % 2, {{i % 2, 1}});
  const std::vector<std::int64_t> fold_of =
      deal_to_folds(rows.view(), gold_of(rows.view(), 2).labels, 5);
  for (std::int64_t fold = 0; fold < 5; ++fold)
    EXPECT_EQ(std::ranges::count(fold_of, fold), 4) << fold;
}

TEST(NgramFolds, NoneIsEmptyWhereClassesHaveFewerRowsThanThereAreFolds) {
  for (const auto& [rows_of_all, classes] :
       {std::pair{5, 2}, std::pair{6, 2}, std::pair{8, 3}, std::pair{60, 20}, std::pair{240, 60}}) {
    for (const bool sorted : {false, true}) {
      Rows rows;
      for (int i = 0; i < rows_of_all; ++i)
        rows.add(sorted ? i * classes / rows_of_all : i % classes, {{i, 1}});
      const std::vector<std::int64_t> fold_of =
          deal_to_folds(rows.view(), gold_of(rows.view(), classes).labels, 5);
      for (std::int64_t fold = 0; fold < 5; ++fold)
        EXPECT_GE(std::ranges::count(fold_of, fold), rows_of_all / 10 + (rows_of_all < 10 ? 1 : 0))
            << rows_of_all << " rows of " << classes << " classes, fold " << fold;
    }
  }
}

TEST(NgramFit, NothingOfAFoldIsInWhatAnswersForIt) {
  Rows rows;
  for (int i = 0; i < 60; ++i) rows.add(i % 3 == 0 ? 1 : 0, {{i % 11, 1}, {11 + i % 7, 2}});
  WorkerPool pool(2);
  NgramConfig config;
  config.max = 1;
  config.weighting = NgramWeighting::naive_bayes;  // the classes are in the weights
  const DatasetView all = rows.view();
  const OutOfFold found = NgramFit(config, all, 18, 2, pool).out_of_fold(4, 2);
  const std::vector<std::int64_t> fold_of = deal_to_folds(all, gold_of(all, 2).labels, 4);
  std::vector<float> expected;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (fold_of[i] >= 2) continue;
    DatasetView others{all.data, {}};
    for (std::size_t k = 0; k < all.size(); ++k)
      if (fold_of[k] != fold_of[i]) others.rows.push_back(all.rows[k]);
    const NgramModel model = NgramFit(config, others, 18, 2, pool).model();
    const std::vector<float> row = model.logits({all.data, {all.rows[i]}}, pool);
    expected.insert(expected.end(), row.begin(), row.end());
  }
  EXPECT_EQ(found.logits, expected);
  EXPECT_EQ(found.places.size(), expected.size() / 2);
}

TEST(TrainNgrams, TellsClassesApartAndIsCalibrated) {
  Rows rows;
  for (int i = 0; i < 400; ++i) {
    const int label = i % 2;
    // Right nine times of ten.
    const int word = i / 2 % 10 == 0 ? 1 - label : label;
    rows.add(label, {{word, 1}, {2 + i / 2 % 7, 1}, {9 + i / 14, 1}});  // no two are the same
  }
  WorkerPool pool(2);
  const DatasetView none{rows.view().data, {}};
  for (const NgramWeighting weighting :
       {NgramWeighting::tfidf, NgramWeighting::naive_bayes, NgramWeighting::binary}) {
    NgramConfig config;
    config.max = 1;
    config.weighting = weighting;
    const TrainedNgrams trained = train_ngrams(config, rows.view(), none, 38, 2, pool);
    std::vector<float> logits(2);
    trained.model.logits(std::vector<NgramValue>{{0, 1}, {3, 1}, {20, 1}}, logits.data());
    EXPECT_GT(logits[0], logits[1]);
    const double odds = trained.factors.ngrams * static_cast<double>(logits[0] - logits[1]);
    EXPECT_NEAR(1 / (1 + std::exp(-odds)), 0.9, 0.05);
    EXPECT_EQ(trained.factors.network, 1);
    EXPECT_NEAR(trained.unseen_accuracy.value_or(0), 0.9, 0.02);
    EXPECT_EQ(trained.model.logits(rows.view(), pool).size(), 800U);
  }
}

TEST(TrainNgrams, RowsCountByTheirWeight) {
  WorkerPool pool(1);
  NgramConfig config;
  config.max = 1;
  config.factor = 1;
  const auto weights = [&](const std::vector<float>& row_weights) {
    Rows rows;
    for (std::size_t i = 0; i < row_weights.size(); ++i)
      rows.add(static_cast<std::int32_t>(i % 2), {{static_cast<std::int32_t>(i % 3), 1}},
               row_weights[i]);
    return train_ngrams(config, rows.view(), {rows.view().data, {}}, 3, 2, pool)
        .model.weights()
        .weights;
  };
  const std::vector<float> plain = weights({1, 1, 1, 1, 1, 1});
  const std::vector<float> weighted = weights({1, 9, 1, 1, 1, 1});
  EXPECT_GT(weighted[3], plain[3]) << "n-gram 1 stands in a row of class 1 that counts nine times";
}

TEST(TrainNgrams, TakesTheFactorThatIsSet) {
  const Rows rows = three_rows();
  WorkerPool pool(1);
  NgramConfig config;
  config.max = 1;
  config.factor = 2.5;
  const TrainedNgrams trained =
      train_ngrams(config, rows.view(), {rows.view().data, {}}, 3, 2, pool);
  EXPECT_EQ(trained.factors.ngrams, 2.5);
  EXPECT_TRUE(trained.factor_is_set);
}

class NgramFileTest : public ::testing::Test {
 protected:
  NgramFileTest() {
    config_.max = 2;
    const std::vector<float> scale = {1, 2, 3};
    save_ngrams(path_, NgramVocabulary(config_, true, {7, 8}, 1),
                NgramModel(config_.weighting, scale, {2, {1, 2, 3, 4, 5, 6}, {0.5F, -0.5F}}));
  }

  testing::TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "ngrams.safetensors";
  NgramConfig config_;
};

TEST_F(NgramFileTest, ReadsWhatWasWritten) {
  const NgramBranch branch = load_ngrams(path_, config_, true, 2);
  EXPECT_EQ(branch.vocabulary.size(), 3);
  EXPECT_EQ(branch.vocabulary.find(8), 1);
  EXPECT_EQ(branch.vocabulary.find(9), 2) << "the bucket";
  EXPECT_THAT(branch.model.scale(), ElementsAre(1, 2, 3));
  EXPECT_THAT(branch.model.weights().weights, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(branch.model.weights().bias, ElementsAre(0.5F, -0.5F));
}

TEST_F(NgramFileTest, RefusesAnotherNumberOfClasses) {
  EXPECT_THAT(message_of<CheckpointError>([&] { load_ngrams(path_, config_, true, 3); }),
              HasSubstr("weights [3, 2] and 2 biases; expected as many scales as weights, no more "
                        "hashes, and 3 classes."));
}

TEST_F(NgramFileTest, RefusesAMissingTensorAndATwofoldHash) {
  const auto write = [&](const std::vector<std::uint64_t>& hashes, const char* name) {
    const std::vector<float> numbers(4);
    const auto bytes = std::as_bytes(std::span(numbers));
    const std::vector<TensorView> tensors = {
        {"hash", DType::i64, {std::ssize(hashes)}, std::as_bytes(std::span(hashes))},
        {name, DType::f32, {2}, bytes.first(8)},
        {"weight", DType::f32, {2, 2}, bytes},
        {"bias", DType::f32, {2}, bytes.first(8)}};
    write_safetensors(path_, tensors);
  };
  write({1, 2}, "scales");
  EXPECT_THAT(message_of<CheckpointError>([&] { load_ngrams(path_, config_, true, 2); }),
              HasSubstr("has no tensor \"scale\" of type F32 with 1 dimension."));
  write({1, 1}, "scale");
  EXPECT_THAT(message_of<CheckpointError>([&] { load_ngrams(path_, config_, true, 2); }),
              HasSubstr("The n-gram 0000000000000001 is there twice."));
}

}  // namespace
}  // namespace diffuse
