#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace diffuse {

/// First ids of the vocabularies that are made here (`words`, `bytes`); id = place in the list.
inline constexpr std::array<std::string_view, 3> kSpecialTokens = {"[PAD]", "[UNK]", "[MASK]"};
inline constexpr std::int32_t kUnknownId = 1;
inline constexpr std::int32_t kMaskId = 2;

/// What WordPiece writes before a piece that goes on with a word.
inline constexpr std::string_view kContinuation = "##";

}  // namespace diffuse
