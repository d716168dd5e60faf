#pragma once

#include "diffuse/config/config.hpp"
#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/model_factory.hpp"

namespace diffuse {

/// The sizes that a configuration and its data give.
DistilBertShape distilbert_shape(const DistilBertConfig& config, const ModelShape& shape);

}  // namespace diffuse
