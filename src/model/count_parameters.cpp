#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/model_factory.hpp"
#include "distilbert_config.hpp"
#include "linear_parameters.hpp"

// Mirrors the constructors of the model's parts; the test compares the two over many configs.
namespace diffuse {
namespace {

std::int64_t of_function(const ModelConfig& config) {
  const std::int64_t dim = config.dim;
  const std::int64_t hidden = config.hidden_dim > 0 ? config.hidden_dim : 2 * dim;
  switch (config.function) {
    case FunctionKind::linear:
      return linear_parameter_count(dim, dim);
    case FunctionKind::mlp:
      return linear_parameter_count(dim, hidden) + linear_parameter_count(hidden, dim);
    case FunctionKind::glu:
      return linear_parameter_count(dim, 2 * hidden) + linear_parameter_count(hidden, dim);
  }
  return 0;
}

std::int64_t of_weight(const ModelConfig& config) {
  std::int64_t count = 2 * config.radius + (config.self_neighbour ? 1 : 0);
  if (config.weight != WeightKind::scalar) count *= config.dim;
  if (config.weight == WeightKind::full) count *= config.dim;
  return count;
}

/// Steps with tensors of their own.
std::int64_t sets(const ModelConfig& config) {
  return config.share_weights && config.steps > 0 ? 1 : config.steps;
}

std::int64_t of_step(const ModelConfig& config) {
  std::int64_t count = of_function(config);
  if (config.weight_learned) count += of_weight(config);
  if (config.alpha_learned) count += config.dim;
  if (config.norm != NormPosition::none) count += 2 * config.dim;
  return count;
}

std::int64_t of_head(const ModelConfig& config, std::int64_t class_count) {
  const std::int64_t in = config.pooling == Pooling::mean_max ? 2 * config.dim : config.dim;
  if (config.head_hidden_dim == 0) return linear_parameter_count(in, class_count);
  const std::int64_t hidden = config.head_hidden_dim > 0 ? config.head_hidden_dim : config.dim;
  return linear_parameter_count(in, hidden) + linear_parameter_count(hidden, class_count);
}

}  // namespace

std::optional<std::int64_t> count_parameters(const Config& config, const ModelShape& shape) {
  switch (config.model.type) {
    case ModelType::diffusion:
      if (config.model.dim == 0) return 0;  // no network
      return (shape.vocab_size + config.model.bigram_buckets) * config.model.dim +
             sets(config.model) * of_step(config.model) + of_head(config.model, shape.class_count);
    case ModelType::distilbert:
      return count_distilbert_parameters(distilbert_shape(config.distilbert, shape));
    case ModelType::torchscript:
      break;
  }
  return std::nullopt;
}

std::int64_t count_constants(const Config& config) {
  if (config.model.type != ModelType::diffusion || config.model.weight_learned ||
      config.model.dim == 0)
    return 0;
  return sets(config.model) * of_weight(config.model);
}

}  // namespace diffuse
