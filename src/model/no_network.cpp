#include "no_network.hpp"

#include <ATen/ops/zeros.h>

namespace diffuse {

at::Tensor NoNetwork::forward(const Batch& batch, const ForwardContext& context) {
  (void)context;
  return at::zeros({batch.size(), classes_}, at::TensorOptions(at::kFloat).device(device_));
}

bool NoNetwork::is_small(const Batch& batch) const {
  (void)batch;
  return true;
}

}  // namespace diffuse
