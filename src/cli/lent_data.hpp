#pragma once

#include "diffuse/data/loading.hpp"

namespace diffuse::cli {

/// The tokenizer and the training file of `owner`, lent to other training data, which have the
/// same rows in other parts; `owner` has them back when this object goes.
class LentData {
 public:
  explicit LentData(TrainingData& owner) : owner_(owner) {
    data_.tokenizer = std::move(owner.tokenizer);
    data_.train_file = std::move(owner.train_file);
  }
  ~LentData() {
    owner_.tokenizer = std::move(data_.tokenizer);
    owner_.train_file = std::move(data_.train_file);
  }
  LentData(const LentData&) = delete;
  LentData& operator=(const LentData&) = delete;

  TrainingData& data() { return data_; }

 private:
  TrainingData& owner_;
  TrainingData data_;
};

}  // namespace diffuse::cli
