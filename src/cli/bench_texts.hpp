#pragma once

#include <memory>
#include <string>

#include "bench_contenders.hpp"

namespace diffuse::cli {

/// The labelled texts of `bench --data`, as each of the two models sees them.
class BenchTexts {
 public:
  /// `file` may be empty; then the test file of a checkpoint serves for the accuracy, if it is
  /// there. Throws DataError for a file that cannot be read, UsageError where a model has no
  /// tokenizer.
  BenchTexts(const std::string& file, const OpenedContender& ours, const OpenedContender& other);

  /// Batches of the same rows for both. Only where a file was given.
  std::pair<Workload, Workload> workloads(std::int64_t batch_size) const;
  std::int64_t row_count() const;

  /// Where both models are checkpoints of the same classes: evaluates them on the texts and fills
  /// in the paired test.
  void compare_accuracy(Comparison& comparison) const;

 private:
  std::unique_ptr<EncodedDataset> encode(const OpenedContender& opened,
                                         const std::string& file) const;

  std::string file_;
  const OpenedContender& ours_;
  const OpenedContender& other_;
  std::unique_ptr<EncodedDataset> ours_data_;  // null without a file
  std::unique_ptr<EncodedDataset> other_data_;
};

}  // namespace diffuse::cli
