#pragma once

#include <string>

namespace diffuse::cli {

/// `text` as a JSON string, quotes and all; ill-formed UTF-8 becomes U+FFFD.
std::string json_string(const std::string& text);

}  // namespace diffuse::cli
