#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <type_traits>

namespace diffuse {

/// The operation that the dispatcher knows by `name`, of the type of `kernel`.
template <class Kernel>
auto operation(const char* name, const Kernel&) {
  return c10::Dispatcher::singleton()
      .findSchemaOrThrow(name, "")
      .template typed<std::remove_pointer_t<Kernel>>();
}

}  // namespace diffuse
