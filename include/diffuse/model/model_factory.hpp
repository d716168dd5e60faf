#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What a model must know of its data.
struct ModelShape {
  std::int64_t vocab_size = 0;
  std::int64_t class_count = 0;
  std::int32_t mask_id = 0;
  std::int32_t pad_id = 0;
  /// Tokens 0 … 255 are numbers and 256 is one that is hidden (tokenizer.type = values).
  bool numbers = false;
};

/// A freshly initialised classifier of `config.model.type` on the CPU; `seed` decides every initial
/// value; without one they are any, for weights that will be loaded. Sizes are
/// taken from `config`, not from a folder `pretrained`. Throws CheckpointError for a `model.file`
/// that cannot be used.
std::unique_ptr<Classifier> make_classifier(const Config& config, const ModelShape& shape,
                                            std::optional<std::int64_t> seed);

/// Replaces sizes in `config` by those of the folder of weights that it names
/// (`distilbert.pretrained`, `bert.pretrained`), where it names one. Throws CheckpointError for a
/// folder that holds no such model.
void take_pretrained_sizes(Config& config);

/// Copies the weights of that folder into `classifier`, and logs what of it was not used. Throws
/// CheckpointError for weights that do not fit.
void load_pretrained_weights(Classifier& classifier, const Config& config);

/// Elements of all parameters that make_classifier would allocate for a valid `config`, counted of
/// tensors without memory: its parameter_count. Nothing for a TorchScript file, which has to be
/// read.
std::optional<std::int64_t> count_parameters(const Config& config, const ModelShape& shape);

/// Elements of the tensors that make_classifier would allocate besides the parameters, such as a W
/// that is not learned (Classifier::constant_count).
std::int64_t count_constants(const Config& config);

}  // namespace diffuse
