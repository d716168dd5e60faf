#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

#include "ops/rows/text_loss.hpp"

namespace diffuse {

/// The pointers of the arguments of `diffuse::text_losses`, on whatever device.
template <class A>
rows::TextLosses<A> losses_of(const at::Tensor& logits, const at::Tensor& labels,
                              const std::optional<at::Tensor>& distributions,
                              const std::optional<at::Tensor>& weights, bool several,
                              double smoothing) {
  return {.texts = logits.size(0),
          .classes = logits.size(1),
          .logits = logits.const_data_ptr<A>(),
          .labels = labels.const_data_ptr<std::int64_t>(),
          .distributions = distributions ? distributions->const_data_ptr<float>() : nullptr,
          .weights = weights ? weights->const_data_ptr<float>() : nullptr,
          .several = several,
          .smoothing = static_cast<A>(smoothing)};
}

}  // namespace diffuse
