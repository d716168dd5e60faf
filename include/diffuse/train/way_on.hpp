#pragma once

#include <functional>
#include <string>

namespace diffuse {

/// Runs `work`, a training or several. Where memory runs out (OutOfMemory) or a GPU fails
/// (c10::Error) throws OutOfMemory or SystemError in its place, whose text says what happened
/// (explained) and ends with `way_on()`: which checkpoint stands, and how to go on with it. Any
/// other exception passes.
void with_way_on(const std::function<std::string()>& way_on, const std::function<void()>& work);

}  // namespace diffuse
