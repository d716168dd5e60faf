#pragma once

#include <cstdint>
#include <functional>

namespace diffuse {

/// How many of LibTorch's operations, and of ours, `work` calls that compute something: on a GPU
/// each of them is one launch or a few. Not counted are those that only look at memory in another
/// way or ask for it, and those that are made of others.
std::int64_t count_launches(const std::function<void()>& work);

}  // namespace diffuse
