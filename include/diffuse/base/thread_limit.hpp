#pragma once

#include <cstdint>

namespace diffuse {

/// Threads that may be asked for. OpenMP's own stacks run out of room at some thousands.
inline constexpr std::int64_t kMostThreads = 1024;

}  // namespace diffuse
