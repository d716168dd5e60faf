#pragma once

#include <cstdint>
#include <memory>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What a model must know of its data.
struct ModelShape {
  std::int64_t vocab_size = 0;
  std::int64_t class_count = 0;
  std::int32_t mask_id = 0;
};

/// A freshly initialised classifier on the CPU; `seed` decides every initial value.
std::unique_ptr<Classifier> make_classifier(const ModelConfig& config, const ModelShape& shape,
                                            std::int64_t seed);

/// Elements of all parameters that make_classifier would allocate for a valid `config`, counted
/// without allocating: its parameter_count.
std::int64_t count_parameters(const ModelConfig& config, const ModelShape& shape);

/// Elements of the tensors that make_classifier would allocate besides the parameters: a W that is
/// not learned.
std::int64_t count_constants(const ModelConfig& config);

}  // namespace diffuse
