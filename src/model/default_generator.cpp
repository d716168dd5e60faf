#include "default_generator.hpp"

#include <ATen/Context.h>

#include <mutex>

namespace diffuse {
namespace {

at::Tensor state_of(at::Generator generator) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void set_state(at::Generator generator, const at::Tensor& state) {
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

}  // namespace

DefaultGeneratorFrom::DefaultGeneratorFrom(const at::Generator& generator, at::Device device)
    : generator_(generator) {
  if (!generator_.defined()) return;
  default_ = at::globalContext().defaultGenerator(device);
  default_state_ = state_of(default_);
  set_state(default_, state_of(generator_));
}

DefaultGeneratorFrom::~DefaultGeneratorFrom() {
  if (!generator_.defined()) return;
  set_state(generator_, state_of(default_));
  set_state(default_, default_state_);
}

}  // namespace diffuse
