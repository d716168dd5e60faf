#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// Decay of the average after `update` updates: min(decay, (1 + update) / (10 + update)), so that
/// the first, bad weights are forgotten fast.
double average_decay(double decay, std::int64_t update);

/// Updates from one step of the average to the next, at update `update`: a quarter of the updates
/// that the average looks back on, 1 to 8. A step reads and writes every weight, which each time
/// would be 5 % of an AG News epoch.
std::int64_t average_stride(double decay, std::int64_t update);

class RowAdamW;

/// Exponential moving average of a model's weights.
class WeightAverage {
 public:
  /// Starts as a copy of the weights.
  WeightAverage(const std::vector<NamedParameter>& parameters, double decay);

  /// To be called after every update, with its number (1-based). Where that is due, moves the
  /// average towards the weights, as far as so many updates would.
  void update(std::int64_t update);
  /// Whether `update` is a multiple of the stride: only then the weights are read.
  bool is_due(std::int64_t update) const;

  /// The averages, in the order of the parameters.
  const std::vector<at::Tensor>& values() const { return averages_; }

  /// Exchanges the weights and their averages, in place.
  void swap();

 private:
  std::vector<at::Tensor> weights_;
  std::vector<at::Tensor> averages_;
  double decay_;
};

/// While it lives, the model holds the averaged weights, where there are any.
class AveragedWeightsScope {
 public:
  /// `tables`: the embeddings, where they are averaged by themselves.
  explicit AveragedWeightsScope(WeightAverage* average, std::span<RowAdamW> tables = {});
  ~AveragedWeightsScope();
  AveragedWeightsScope(const AveragedWeightsScope&) = delete;
  AveragedWeightsScope& operator=(const AveragedWeightsScope&) = delete;

  /// To be called with the rows that each batch reads of the embedding number `table` before it is
  /// computed: puts them, averaged and as of the last update, into the table. Those of batches
  /// before may be put back: a second table would cost as much memory as the weights. Nothing where
  /// there is no such table.
  void settle(std::size_t table, std::span<const std::int32_t> ids);

 private:
  /// What of a table is settled.
  struct Settled {
    RowAdamW* rows;
    std::vector<bool> is_settled;  // of each row
    std::vector<std::int32_t> ids;
    std::vector<float> kept;  // the settled rows' own weights
    void put_back();
  };

  WeightAverage* average_;
  std::vector<Settled> tables_;
};

}  // namespace diffuse
