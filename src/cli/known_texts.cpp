#include "known_texts.hpp"

#include <algorithm>
#include <cstdint>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/model/checkpoint.hpp"

namespace diffuse::cli {

double share_known(const std::filesystem::path& checkpoint, const DataFacts& facts) {
  if (facts.different_texts.empty()) return 0;
  try {
    const auto theirs = read_training_texts(checkpoint);
    if (!theirs) return 0;
    const auto known = std::ranges::count_if(facts.different_texts, [&](std::uint64_t text) {
      return std::ranges::binary_search(*theirs, text);
    });
    return static_cast<double>(known) / static_cast<double>(facts.different_texts.size());
  } catch (const Error& error) {
    log::debug("{}", error.what());
    return 0;
  }
}

}  // namespace diffuse::cli
