#include "diffuse/bench/flops.hpp"

#include <numeric>

namespace diffuse {
namespace {

double as_double(std::int64_t value) { return static_cast<double>(value); }

/// Of a product with an [in, out] matrix, for one row.
double linear_flops(std::int64_t in, std::int64_t out) {
  return 2 * as_double(in) * as_double(out);
}

double function_flops(const ModelConfig& model) {
  const std::int64_t hidden = model.hidden_dim > 0 ? model.hidden_dim : 2 * model.dim;
  switch (model.function) {
    case FunctionKind::linear:
      return linear_flops(model.dim, model.dim);
    case FunctionKind::mlp:
      return 2 * linear_flops(model.dim, hidden);
    case FunctionKind::glu:
      return linear_flops(model.dim, 2 * hidden) + linear_flops(hidden, model.dim);
  }
  return 0;
}

/// The head, for one text.
double head_flops(const ModelConfig& model, std::int64_t class_count) {
  const std::int64_t in = model.pooling == Pooling::mean_max ? 2 * model.dim : model.dim;
  if (model.head_hidden_dim == 0) return linear_flops(in, class_count);
  const std::int64_t hidden = model.head_hidden_dim > 0 ? model.head_hidden_dim : model.dim;
  return linear_flops(in, hidden) + linear_flops(hidden, class_count);
}

/// Of one token in all steps.
double diffusion_token_flops(const ModelConfig& model) {
  const std::int64_t neighbours = 2 * model.radius + (model.self_neighbour ? 1 : 0);
  const double sum = model.weight == WeightKind::full ? linear_flops(model.dim, model.dim)
                                                      : 2 * as_double(model.dim);
  return as_double(model.steps) * (function_flops(model) + as_double(neighbours) * sum);
}

double distilbert_flops(const DistilBertConfig& model, std::int64_t class_count,
                        std::span<const std::int64_t> lengths) {
  const double token =
      4 * linear_flops(model.dim, model.dim) + 2 * linear_flops(model.dim, model.hidden_dim);
  double total = 0;
  for (const std::int64_t length : lengths) {
    // Every token against every other: the weights, and the sum by them.
    const double attention = 4 * as_double(length) * as_double(length) * as_double(model.dim);
    total += as_double(model.layers) * (as_double(length) * token + attention);
    total += linear_flops(model.dim, model.dim) + linear_flops(model.dim, class_count);
  }
  return total;
}

}  // namespace

std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                    std::span<const std::int64_t> lengths) {
  switch (config.model.type) {
    case ModelType::diffusion:
      return as_double(std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0})) *
                 diffusion_token_flops(config.model) +
             static_cast<double>(lengths.size()) * head_flops(config.model, class_count);
    case ModelType::distilbert:
      return distilbert_flops(config.distilbert, class_count, lengths);
    case ModelType::torchscript:
      break;
  }
  return std::nullopt;
}

}  // namespace diffuse
