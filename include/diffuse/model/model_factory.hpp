#pragma once

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

}  // namespace diffuse
