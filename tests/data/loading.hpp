#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "data/support.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse::testing {

/// A training set to be, its cache beside it.
class Loading : public ::testing::Test {
 protected:
  Loading() {
    data_.cache_dir = (dir_.path() / "cache").string();
    data_.validation_fraction = 0.25;
    words_.min_count = 1;
    bytes_.type = TokenizerType::bytes;
  }

  void train_on(const std::string& content) { data_.train = write("train.csv", content); }
  std::string write(const std::string& name, const std::string& content) {
    return dir_.write(name, content).string();
  }
  TrainingData load(const TokenizerConfig& tokenizer) {
    return load_training_data(data_, tokenizer, 1, 2);
  }
  std::string error_of(const TokenizerConfig& tokenizer) {
    return message_of<DataError>([&] { load(tokenizer); });
  }

  TempDir dir_;
  DataConfig data_;
  TokenizerConfig words_;
  TokenizerConfig bytes_;
};

inline const char* const kColours =
    "warm,red red\ncold,blue\nwarm,orange red\ncold,blue ice\n"
    "warm,red sun\ncold,snow blue\nwarm,fire\ncold,ice\n";

inline void expect_equal(const EncodedDataset& a, const EncodedDataset& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(testing::tokens_of(a, i), testing::tokens_of(b, i));
    ASSERT_EQ(a.label(i), b.label(i));
    ASSERT_EQ(a.line(i), b.line(i));
  }
}

}  // namespace diffuse::testing
