#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "diffuse/explain/path_integral.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// A network's logit on the straight line from its baseline to a text: a Path. Its parts are the
/// text's tokens, then, where the network has hashed pairs, the pair that each token ends.
class NetworkPath {
 public:
  /// `baseline`: the token whose row stands in each token's place at the beginning; nothing: zeros.
  /// Logits are multiplied by `factor`.
  NetworkPath(Classifier& classifier, std::span<const std::int32_t> tokens,
              std::optional<std::int32_t> baseline, std::int32_t label, double factor);

  std::vector<PathPoint> operator()(std::span<const double> places) const;
  bool has_pairs() const { return moves_.size() > 1; }

 private:
  Batch copies(std::size_t count) const;
  void add_points(std::span<const double> places, std::vector<PathPoint>& points) const;

  Classifier& classifier_;
  std::vector<std::int32_t> tokens_;
  std::int32_t label_;
  double factor_;
  std::vector<at::Tensor> moves_;  // [N, D] of each embedding: from the baseline to the text
  at::Tensor move_;                // their sum
};

}  // namespace diffuse
