#pragma once

#include <string>
#include <vector>

namespace diffuse {

/// Which keys of a JSON object hold its text where `data.text_columns` names none: those with a
/// text's usual name, else all that hold a string and are not called like a label (docs/data.md,
/// "Columns"). `is_text[i]`: key i holds a string. In the order of `keys`; may be empty.
std::vector<std::string> automatic_text_keys(const std::vector<std::string>& keys,
                                             const std::vector<bool>& is_text);

}  // namespace diffuse
