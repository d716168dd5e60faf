#pragma once

#include <string>
#include <vector>

namespace diffuse {

/// What a key of a JSON object holds, as far as it tells which keys hold the text.
enum class KeyContent { text, null, other };

/// Which keys of a JSON object hold its text where `data.text_columns` names none: those with a
/// text's usual name, else all that hold a string and are not called like a label (docs/data.md,
/// "Columns"). A usual name that holds null counts: its row lacks a text, the others' need not.
/// `contents[i]`: what key i holds. In the order of `keys`; may be empty.
std::vector<std::string> automatic_text_keys(const std::vector<std::string>& keys,
                                             const std::vector<KeyContent>& contents);

}  // namespace diffuse
