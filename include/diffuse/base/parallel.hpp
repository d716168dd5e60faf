#pragma once

#include <cstdint>

#include <cstddef>
#include <functional>

namespace diffuse {

/// Threads that may be asked for. OpenMP's own stacks run out of room at some thousands.
inline constexpr std::int64_t kMostThreads = 1024;

/// Calls `work(begin, end)` for consecutive parts that cover [0, count), on up to `threads`
/// threads, and waits for all. The first exception thrown by a part is thrown here.
void parallel_for(std::size_t count, int threads,
                  const std::function<void(std::size_t begin, std::size_t end)>& work);

}  // namespace diffuse
