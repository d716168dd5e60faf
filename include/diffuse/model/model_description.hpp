#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"
#include "diffuse/model/fresh_tensors.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {

/// What a training pass keeps on the way forward for the way back, by LibTorch's operations or, of
/// a diffusion model, by ours.
struct KeptBytes {
  std::int64_t a_token = 0;
  /// Of each pair of tokens of a text as long as the longest of its batch; on a CPU, where
  /// attention keeps its weights.
  double a_pair = 0;
};

/// All that the program knows of a type of models but its name and family
/// (diffuse/config/model_types.hpp), its keys (src/config/*_fields.cpp) and its computation. The
/// types of a family are registered in its descriptions.cpp.
class ModelDescription {
 public:
  virtual ~ModelDescription() = default;

  /// For sentences: "DistilBERT".
  virtual std::string_view title() const = 0;
  /// For reports: "transformer (TorchScript), dim 768, 6 layers, 512 positions".
  virtual std::string summary(const Config& config) const = 0;

  /// A classifier of these tensors. Throws CheckpointError for a file that cannot be used.
  virtual std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                           FreshTensors& tensors) const = 0;
  /// Whether `make` tells its size without memory for it (FreshTensors::sizes_only).
  virtual bool is_countable() const { return true; }
  /// Channels of a token's state: the width of most matrix products. 0: not known.
  virtual std::int64_t product_width(const Config& config) const = 0;
  /// What computes it on `device` in `precision` (resolved), for reports: "SDPA". `kernel` is that
  /// of its diffusion operator (Classifier::kernel), which other types do not have.
  virtual std::string kernel_name(const Config& config, Kernel kernel, at::Device device,
                                  Precision precision) const = 0;
  /// Tokens of the longest text that it reads; 0: any.
  virtual std::int64_t longest_text(const Config& config) const {
    (void)config;
    return 0;
  }
  /// Makes `tokens` the longest text, where the model has weights for each place of it.
  virtual void set_longest_text(Config& config, std::int64_t tokens) const {
    (void)config, (void)tokens;
  }
  /// Floating-point operations of the matrix products and neighbour sums of one forward pass over
  /// texts of `lengths` tokens (a multiplication and an addition are two). Element-wise work is
  /// left out. Nothing where the computation is not known. A training step is counted as three
  /// forward passes: backward has two products for each one.
  virtual std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                              std::span<const std::int64_t> lengths) const = 0;
  /// In half precision the products' rows take two bytes an element, others four.
  virtual KeptBytes kept_bytes(const Config& config, bool half, bool own_operations) const = 0;

  /// The folder of weights to begin with; empty: none.
  virtual std::string pretrained(const Config& config) const {
    (void)config;
    return "";
  }
  /// Names it; for a type that takes weights of others.
  virtual void set_pretrained(Config& config, const std::string& folder) const {
    (void)config, (void)folder;
  }
  /// Replaces the sizes in `config` by those of the folder pretrained(config), which is not empty.
  /// Throws CheckpointError for a folder that holds no such model.
  virtual void take_pretrained_sizes(Config& config) const { (void)config; }
  /// Copies the weights of the folder pretrained(config), which is not empty, into `classifier`,
  /// one of `make`, and logs what of it was not used. Throws CheckpointError for weights that do
  /// not fit.
  virtual void load_pretrained(Classifier& classifier, const Config& config) const {
    (void)classifier, (void)config;
  }
};

const ModelDescription& description_of(ModelType type);
const ModelDescription& description_of(const Config& config);

/// What the description of the model of `config` says.
std::int64_t product_width(const Config& config);
std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                    std::span<const std::int64_t> lengths);

}  // namespace diffuse
