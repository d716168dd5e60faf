#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace diffuse {

/// `text` for the content or a quoted attribute of an HTML or SVG element: what would be markup,
/// control characters and ill-formed UTF-8 are written so that they only show. Cut to
/// `max_length` code points with "…".
std::string html_text(std::string_view text, std::size_t max_length = 100'000);

}  // namespace diffuse
