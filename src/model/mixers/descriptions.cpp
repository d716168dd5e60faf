// The models that differ from ours in what mixes the tokens: how each block is made and what is to
// be known of it (docs/peers.md).

#include <fmt/core.h>

#include <numeric>
#include <string>

#include "attention_block.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/config/load.hpp"
#include "encoder_classifier.hpp"
#include "mamba_block.hpp"
#include "model/model_descriptions.hpp"

namespace diffuse {
namespace {

constexpr std::int64_t kFloatBytes = 4;

double as_double(std::int64_t value) { return static_cast<double>(value); }

/// The same for all of them: an encoder between the embedding and the head.
class MixerDescription : public ModelDescription {
 public:
  std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                   FreshTensors& tensors) const override {
    return std::make_unique<EncoderClassifier>(config, shape, tensors);
  }
  std::int64_t product_width(const Config& config) const override { return config.model.dim; }
  std::string kernel_name(const Config&, Kernel, at::Device, Precision) const override {
    return "tensor operations";
  }
  /// The `index`-th of its blocks.
  virtual std::unique_ptr<MixerBlock> make_block(const Config& config, std::int64_t index,
                                                 FreshTensors& tensors) const = 0;

  std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                      std::span<const std::int64_t> lengths) const override {
    double total = as_double(std::ssize(lengths)) * head_flops(config.model, class_count);
    for (const std::int64_t length : lengths)
      total += as_double(config.model.steps) * block_flops(config, length);
    return total;
  }

 protected:
  std::string summary_of(const Config& config, const std::string& what) const {
    return fmt::format("{}, dim {}, {} blocks", what, config.model.dim, config.model.steps);
  }
  /// Of one block for a text of so many tokens.
  virtual double block_flops(const Config& config, std::int64_t length) const = 0;
};

class AttentionDescription : public MixerDescription {
 public:
  std::unique_ptr<MixerBlock> make_block(const Config& config, std::int64_t index,
                                         FreshTensors& tensors) const final {
    return std::make_unique<AttentionBlock>(config, make_attention(config, index, tensors),
                                            tensors);
  }
  KeptBytes kept_bytes(const Config& config, bool half, bool) const override {
    const std::int64_t product_bytes = half ? 2 : kFloatBytes;
    const std::int64_t dim = config.model.dim;
    // Rows of dim: the two states, norms and dropouts in float32; q, k, v and what is seen as
    // products, packed and on the grid; the hidden layer's product and its GELU.
    const std::int64_t block = 6 * dim * kFloatBytes + 8 * dim * product_bytes +
                               2 * hidden_dim(config) * product_bytes +
                               kept_by_attention(config, product_bytes);
    return {.a_token = config.model.steps * block};
  }

 protected:
  virtual std::unique_ptr<Attention> make_attention(const Config& config, std::int64_t index,
                                                    FreshTensors& tensors) const = 0;
  /// For each token, beside q, k, v and the outcome.
  virtual std::int64_t kept_by_attention(const Config&, std::int64_t) const { return 0; }
  double block_flops(const Config& config, std::int64_t length) const final {
    const double token = 4 * linear_flops(config.model.dim, config.model.dim) +
                         2 * linear_flops(config.model.dim, hidden_dim(config));
    return as_double(length) * token + attention_flops(config, length);
  }
  virtual double attention_flops(const Config& config, std::int64_t length) const = 0;
};

class TransformerDescription final : public AttentionDescription {
 public:
  std::string_view title() const override { return "transformer"; }
  std::string summary(const Config& config) const override {
    return summary_of(config, "pre-norm transformer");
  }
  std::string kernel_name(const Config& config, Kernel, at::Device device,
                          Precision precision) const override {
    return attention_kernel_name(device, precision, config.model.dim / config.mixer.heads);
  }

 private:
  std::unique_ptr<Attention> make_attention(const Config&, std::int64_t,
                                            FreshTensors&) const override {
    return std::make_unique<SoftmaxAttention>();
  }
  double attention_flops(const Config& config, std::int64_t length) const override {
    return 4 * as_double(length) * as_double(length) * as_double(config.model.dim);
  }
};

class LinformerDescription final : public AttentionDescription {
 public:
  std::string_view title() const override { return "Linformer"; }
  std::string summary(const Config& config) const override {
    return summary_of(config, fmt::format("Linformer, projected to {}", config.mixer.projected));
  }
  std::int64_t longest_text(const Config& config) const override {
    return config.mixer.max_positions;
  }
  void set_longest_text(Config& config, std::int64_t tokens) const override {
    config.mixer.max_positions = tokens;
  }
  std::string kernel_name(const Config&, Kernel, at::Device, Precision) const override {
    return kSdpaName;  // of what was projected
  }

 private:
  std::unique_ptr<Attention> make_attention(const Config& config, std::int64_t,
                                            FreshTensors& tensors) const override {
    return std::make_unique<LinformerAttention>(config.mixer, tensors);
  }
  double attention_flops(const Config& config, std::int64_t length) const override {
    // Keys and values are projected, then seen.
    return 8 * as_double(length) * as_double(config.mixer.projected) * as_double(config.model.dim);
  }
};

class PerformerDescription final : public AttentionDescription {
 public:
  std::string_view title() const override { return "Performer"; }
  std::string summary(const Config& config) const override {
    return summary_of(config,
                      fmt::format("Performer (FAVOR+, {}), {} features",
                                  enum_name(config.mixer.feature_map), config.mixer.features));
  }

 private:
  std::unique_ptr<Attention> make_attention(const Config& config, std::int64_t index,
                                            FreshTensors& tensors) const override {
    return std::make_unique<PerformerAttention>(config.mixer, config.model.dim / config.mixer.heads,
                                                index, tensors);
  }
  std::int64_t kept_by_attention(const Config& config, std::int64_t) const override {
    // Products and features of queries and keys, in float32 always.
    return 4 * config.mixer.heads * config.mixer.features * kFloatBytes;
  }
  double attention_flops(const Config& config, std::int64_t length) const override {
    // Features of queries and keys, the keys' sums, the queries' shares.
    return 8 * as_double(length) * as_double(config.mixer.features) * as_double(config.model.dim);
  }
};

class MambaDescription final : public MixerDescription {
 public:
  std::string_view title() const override { return "Mamba-2"; }
  std::string summary(const Config& config) const override {
    return summary_of(config, config.mixer.both_directions ? "Mamba-2, both directions"
                                                           : "Mamba-2, one direction");
  }
  std::unique_ptr<MixerBlock> make_block(const Config& config, std::int64_t,
                                         FreshTensors& tensors) const override {
    return std::make_unique<MambaBlock>(config, tensors);
  }
  KeptBytes kept_bytes(const Config& config, bool half, bool) const override {
    const MixerConfig& mixer = config.mixer;
    const std::int64_t inner = mixer.expand * config.model.dim;
    const std::int64_t heads = inner / mixer.head_dim;
    // Rows that a reader keeps: its products, those in float32, convolved, after SiLU, the inputs
    // with their steps, states, gated and normed, some of them twice, because a product wants them
    // in another order; the states between pieces; the weights inside a piece for each head. The
    // factors are measured.
    const std::int64_t rows = 3 * config.model.dim + 15 * inner + 6 * mixer.state_dim +
                              3 * inner * mixer.state_dim / mixer.chunk;
    const std::int64_t reader =
        rows * kFloatBytes - (half ? 2 * inner * 2 : 0) + 3 * heads * mixer.chunk * kFloatBytes;
    return {.a_token = config.model.steps * readers(config) * reader};
  }

 private:
  static std::int64_t readers(const Config& config) { return config.mixer.both_directions ? 2 : 1; }
  double block_flops(const Config& config, std::int64_t length) const override {
    const MixerConfig& mixer = config.mixer;
    const std::int64_t inner = mixer.expand * config.model.dim;
    const std::int64_t heads = inner / mixer.head_dim;
    const double products =
        linear_flops(config.model.dim, 2 * inner + 2 * mixer.state_dim + heads) +
        linear_flops(inner, config.model.dim) +
        linear_flops(mixer.conv_width, inner + 2 * mixer.state_dim);
    const double space = state_space_flops(length, inner, mixer.state_dim, mixer.chunk);
    return as_double(readers(config)) * (as_double(length) * products + space);
  }
};

/// The types of this family.
const MixerDescription& registered(ModelType type) {
  static const TransformerDescription transformer;
  static const LinformerDescription linformer;
  static const PerformerDescription performer;
  static const MambaDescription mamba;
  switch (type) {
    case ModelType::transformer:
      return transformer;
    case ModelType::linformer:
      return linformer;
    case ModelType::performer:
      return performer;
    case ModelType::mamba:
      return mamba;
    default:
      throw Error(fmt::format("mixer_description: {} is none", enum_name(type)));
  }
}

}  // namespace

std::unique_ptr<MixerBlock> make_mixer_block(const Config& config, std::int64_t index,
                                             FreshTensors& tensors) {
  return registered(config.model.type).make_block(config, index, tensors);
}

const ModelDescription& mixer_description(ModelType type) { return registered(type); }

}  // namespace diffuse
