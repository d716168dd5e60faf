#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "diffuse/base/worker_pool.hpp"

namespace diffuse {

/// Texts that one thread encodes at a stretch.
struct TextPart {
  std::size_t begin = 0;  ///< the first of them
  std::size_t end = 0;    ///< behind the last
  std::vector<std::int32_t> ids{};
};

/// Cuts `texts` into consecutive parts of about as many bytes each, because texts differ too much
/// in length to share by count: several for each thread, so that none waits long for the last.
std::vector<TextPart> cut_into_parts(std::span<const std::string_view> texts, std::int64_t threads);

/// Calls `encode(part)` for each index of `parts` parts and, if it is not empty, `meanwhile` once,
/// all at the same time on the threads of `pool`.
void run_parts(WorkerPool& pool, std::size_t parts, const std::function<void(std::size_t)>& encode,
               const std::function<void()>& meanwhile);

}  // namespace diffuse
