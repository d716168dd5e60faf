#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench_contenders.hpp"

namespace diffuse::cli {

/// The labelled texts of `bench --data`, as each of the models sees them.
class BenchTexts {
 public:
  /// `file` may be empty; then the test file of a checkpoint serves for the accuracy, if it is
  /// there. Throws DataError for a file that cannot be read, UsageError where a model has no
  /// tokenizer.
  BenchTexts(const std::string& file, const std::vector<OpenedContender>& models);

  /// Batches of the same rows for each model. Only where a file was given.
  std::vector<Workload> workloads(std::int64_t batch_size) const;
  std::int64_t row_count() const;

  /// For each model that is a checkpoint of the same classes, as ours must be: evaluates it on the
  /// texts and fills in the paired test.
  void compare_accuracy(Comparison& comparison) const;

 private:
  std::unique_ptr<EncodedDataset> encode(const OpenedContender& opened,
                                         const std::string& file) const;

  std::string file_;
  const std::vector<OpenedContender>& models_;
  std::vector<std::unique_ptr<EncodedDataset>> data_;  // of each model; none without a file
};

}  // namespace diffuse::cli
