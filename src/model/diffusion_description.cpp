#include <fmt/core.h>

#include <numeric>

#include "diffuse/config/load.hpp"
#include "diffuse/model/diffusion_classifier.hpp"
#include "diffuse/model/diffusion_stack.hpp"
#include "model_descriptions.hpp"
#include "no_network.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFloatBytes = 4;
constexpr std::int64_t kHalfBytes = 2;  // of bfloat16 and float16

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

/// Of one token in all steps.
double token_flops(const ModelConfig& model) {
  const double sum = model.weight == WeightKind::full ? linear_flops(model.dim, model.dim)
                                                      : 2 * static_cast<double>(model.dim);
  return static_cast<double>(model.steps) *
         (function_flops(model) + static_cast<double>(neighbour_count(model)) * sum);
}

/// Bytes that one step keeps for one token. Operations of ours keep u and the state, LibTorch's
/// each shifted u besides.
std::int64_t bytes_a_step(const ModelConfig& model, bool half, bool own_operations) {
  const std::int64_t hidden = model.hidden_dim > 0 ? model.hidden_dim : 2 * model.dim;
  std::int64_t states = 1;  // rows of model.dim elements that are float32 always: the new state
  // Of ours a norm before f writes what its product takes, below.
  const bool norm_is_cast = own_operations && half && model.norm == NormPosition::pre;
  if (model.norm != NormPosition::none && !norm_is_cast) states += 1;
  if (model.alpha_learned && !own_operations) states += 1;
  std::int64_t products = 1;  // rows of the products' type: u
  // The gradient of W needs the shifted rows; full matrices have them side by side, the own row
  // among them.
  if (model.weight == WeightKind::full)
    products += neighbour_count(model);
  else if (model.weight_learned && !own_operations)
    products += neighbour_count(model) - (model.self_neighbour ? 1 : 0);
  if (half) products += 1;  // the cast state that f takes
  if (model.function == FunctionKind::linear && model.activation != Activation::identity)
    products += 1;
  std::int64_t elements = products * model.dim;
  if (model.function == FunctionKind::mlp) elements += 2 * hidden;
  if (model.function == FunctionKind::glu) elements += (own_operations ? 3 : 4) * hidden;
  return states * model.dim * kFloatBytes + elements * (half ? kHalfBytes : kFloatBytes);
}

class DiffusionDescription final : public ModelDescription {
 public:
  std::string_view title() const override { return "diffusion model"; }

  std::string summary(const Config& config) const override {
    return fmt::format("attention-free diffusion, dim {}, {} steps", config.model.dim,
                       config.model.steps);
  }

  std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                   FreshTensors& tensors) const override {
    if (config.model.dim == 0) return std::make_unique<NoNetwork>(shape.class_count);
    return std::make_unique<DiffusionClassifier>(config.model, shape, tensors);
  }

  std::int64_t product_width(const Config& config) const override { return config.model.dim; }
  std::string kernel_name(const Config&, Kernel kernel, at::Device, Precision) const override {
    return std::string(enum_name(kernel));
  }

  std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                      std::span<const std::int64_t> lengths) const override {
    const std::int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    return static_cast<double>(tokens) * token_flops(config.model) +
           static_cast<double>(lengths.size()) * head_flops(config.model, class_count);
  }

  KeptBytes kept_bytes(const Config& config, bool half, bool own_operations) const override {
    std::int64_t rows = 1;                        // the initial state
    if (config.train.adversarial > 0) rows += 3;  // the sum's gradient, the step, the moved sum
    if (own_operations) {
      rows += 3;  // on the way back the gradients of a step: its state's, its values', its base's
      if (config.train.adversarial > 0) rows += 1;  // the sum itself
    } else {
      if (config.model.embedding_dropout > 0) rows += 1;  // its mask
      if (config.model.bigram_buckets > 0) rows += 2;     // the pairs' rows, those left by dropout
    }
    return {.a_token = rows * config.model.dim * kFloatBytes +
                       config.model.steps * bytes_a_step(config.model, half, own_operations)};
  }
};

}  // namespace

const ModelDescription& diffusion_description() {
  static const DiffusionDescription description;
  return description;
}

}  // namespace diffuse
