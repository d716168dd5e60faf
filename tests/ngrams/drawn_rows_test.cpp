// The branch where it is trained on some of the rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/signals.hpp"
#include "diffuse/ngrams/ngram_fit.hpp"
#include "diffuse/ngrams/ngram_folds.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

constexpr int kRows = 400;
constexpr std::int32_t kShared = 10;  // n-grams that tell the class; behind them one of each row

/// Two classes, each row with a number of its own, so that what n-grams count tells which rows were
/// trained on.
void add_rows(EncodedDataset& data) {
  const std::int32_t token = 1;
  for (int i = 0; i < kRows; ++i) {
    data.append({&token, 1}, RowTarget(i % 2), 1);
    NgramTexts text;
    text.values = {{i % 2 + 2 * (i / 2 % 4), 1}, {8 + i / 2 % 2, 1}, {kShared + i, 1}};
    text.offsets = {0, 3};
    data.ngrams().append(text);
  }
}

class DrawnRows : public ::testing::TestWithParam<NgramWeighting> {
 protected:
  DrawnRows() {
    add_rows(data_);
    config_.max = 1;
    config_.weighting = GetParam();
  }

  NgramFit fit(std::int64_t max_rows, const DatasetView& view) {
    NgramConfig config = config_;
    config.max_rows = max_rows;
    return NgramFit(config, view, kShared + kRows, 2, pool_);
  }

  /// Those that `model` was trained on.
  DatasetView rows_of(const NgramModel& model) const {
    DatasetView rows{&data_, {}};
    for (std::uint32_t i = 0; i < kRows; ++i)
      if (model.scale()[kShared + i] > 0) rows.rows.push_back(i);
    return rows;
  }

  EncodedDataset data_;
  NgramConfig config_;
  WorkerPool pool_{2};
};

TEST_P(DrawnRows, AreAsManyAsAllowedFromEverywhere) {
  const NgramFit some = fit(100, view_all(data_));
  EXPECT_EQ(some.trained_rows(), 100);
  const DatasetView rows = rows_of(some.model());
  ASSERT_EQ(rows.size(), 100U);
  for (std::uint32_t part = 0; part < 4; ++part) {
    const auto own = std::ranges::count_if(
        rows.rows, [part](std::uint32_t row) { return row / (kRows / 4) == part; });
    EXPECT_GT(own, 12) << part;
    EXPECT_LT(own, 40) << part;
  }
  const auto odd = std::ranges::count_if(rows.rows, [](std::uint32_t row) { return row % 2 == 1; });
  EXPECT_GT(odd, 35) << "no period of the rows' order is hit";
  EXPECT_LT(odd, 65);
  for (const std::int64_t all : {0, kRows, kRows + 1})
    EXPECT_EQ(fit(all, view_all(data_)).trained_rows(), kRows);
}

TEST_P(DrawnRows, MakeTheModelThatTheyMakeAlone) {
  const NgramModel some = fit(100, view_all(data_)).model();
  const NgramModel alone = fit(0, rows_of(some)).model();
  EXPECT_EQ(some.weights().weights, alone.weights().weights);
  EXPECT_EQ(some.weights().bias, alone.weights().bias);
  EXPECT_EQ(some.scale(), alone.scale());
}

TEST_P(DrawnRows, AllRowsOfAFoldAreAnsweredByABranchOfDrawnOnesOfTheOthers) {
  const DatasetView all = view_all(data_);
  const NgramFit some = fit(100, all);
  const OutOfFold found = some.out_of_fold(4, 2);
  const std::vector<std::int64_t> fold_of = deal_to_folds(all, gold_of(all, 2).labels, 4);
  EXPECT_EQ(found.fold_of, fold_of);
  std::vector<std::size_t> places;
  std::vector<float> logits;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (fold_of[i] >= 2) continue;
    DatasetView others = rows_of(some.model());
    std::erase_if(others.rows, [&](std::uint32_t row) { return fold_of[row] == fold_of[i]; });
    const std::vector<float> row = fit(0, others).model().logits({&data_, {all.rows[i]}}, pool_);
    places.push_back(i);
    logits.insert(logits.end(), row.begin(), row.end());
  }
  EXPECT_EQ(found.places, places);
  EXPECT_EQ(found.logits, logits);
}

TEST_P(DrawnRows, TellTheClassesApart) {
  NgramConfig config = config_;
  config.max_rows = 60;
  const DatasetView all = view_all(data_);
  const TrainedNgrams trained = train_ngrams(config, all, {&data_, {}}, kShared + kRows, 2, pool_);
  EXPECT_EQ(trained.unseen.fold_of.size(), all.size());
  EXPECT_EQ(trained.unseen.places.size(), all.size());
  EXPECT_GT(trained.unseen_accuracy.value_or(0), 0.99);
  EXPECT_GT(accuracy_of(trained.model.logits(all, pool_), gold_of(all, 2)), 0.99);
}

TEST_P(DrawnRows, AreLeftWhereASignalHasArrivedAndTheLogTells) {
  const testing::TempDir dir;
  log::open_file((dir.path() / "log").string());
  const DatasetView all = view_all(data_);
  catch_stop_signals();
  std::raise(SIGINT);
  EXPECT_THROW(train_ngrams(config_, all, {&data_, {}}, kShared + kRows, 2, pool_), Stopped);
  clear_stop_signal();
  log::close_file();
  EXPECT_THAT(read_file(dir.path() / "log"),
              ::testing::HasSubstr("SIGINT: stopping while the n-grams are trained"));
}

TEST(NgramScale, OfManyClassesIsLeftWhereASignalHasArrived) {
  EncodedDataset data;
  add_rows(data);
  catch_stop_signals();
  std::raise(SIGINT);
  EXPECT_THROW(ngram_scale(view_all(data), kShared + kRows, 2, NgramWeighting::naive_bayes),
               Stopped);
  clear_stop_signal();
}

INSTANTIATE_TEST_SUITE_P(Weightings, DrawnRows,
                         ::testing::Values(NgramWeighting::tfidf, NgramWeighting::naive_bayes));

}  // namespace
}  // namespace diffuse
