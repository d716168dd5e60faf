#pragma once

#include <cstdint>
#include <string_view>

namespace diffuse {

/// CRC-32C of `bytes`: the Castagnoli polynomial, reflected (RFC 3720, appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

/// The checksum of a TFRecord: a CRC-32C rotated and shifted, because a CRC over data that holds
/// its own CRC says little.
std::uint32_t masked_crc32c(std::string_view bytes);

}  // namespace diffuse
