#pragma once

#include <cstdint>
#include <span>

#include "diffuse/config/config.hpp"
#include "diffuse/data/packed_rows.hpp"

namespace diffuse {

/// How training changes pictures of 32 x 32 pixels at random, so that each comes in many forms.
struct PictureChanges {
  static constexpr std::int64_t kSide = 32;

  bool flip = false;       ///< half of them are mirrored, left for right
  std::int64_t shift = 0;  ///< most pixels that one is moved each way; its edge is repeated

  bool any() const { return flip || shift > 0; }
};

/// train.picture_flip and train.picture_shift.
PictureChanges picture_changes(const TrainConfig& config);

/// Changes each sequence of `pictures`, of kSide² tokens, by its seed [B]: the same seed gives the
/// same change. Throws ConfigError where a sequence is of another length.
void change_pictures(PackedRows& pictures, const PictureChanges& changes,
                     std::span<const std::uint64_t> seeds);

}  // namespace diffuse
