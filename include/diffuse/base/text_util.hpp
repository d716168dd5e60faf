#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// The name nearest to `word` by edit distance, if near enough to be a likely slip.
std::optional<std::string> nearest_name(std::string_view word, std::span<const std::string> names);

/// `text` for an error message: control characters and invalid UTF-8 escaped, cut to `max_length`
/// code points with "…".
std::string printable(std::string_view text, std::size_t max_length = 60);

/// Index of the first byte that is not part of well-formed UTF-8, or nothing. Overlong forms,
/// surrogates and values above U+10FFFF are ill-formed.
std::optional<std::size_t> invalid_utf8_at(std::string_view text);

/// `text` as one cell of a TSV line: a tab is written \t, a backslash \\.
std::string escape_tsv(std::string_view text);

/// `word` as a shell reads it back: in single quotes where it needs them.
std::string shell_quoted(const std::string& word);

/// Parts joined by `separator`.
std::string join(std::span<const std::string> parts, std::string_view separator);

/// One character of UTF-8 text as a terminal shows it.
struct DisplayedCharacter {
  std::size_t bytes;    ///< at least 1; an invalid byte is a character of its own
  std::size_t columns;  ///< 0 for a combining mark, 2 for wide East Asian ones and emoji
};
/// The first character of `text`, which must not be empty.
DisplayedCharacter first_character(std::string_view text);
/// Columns that `text` takes on a terminal.
std::size_t display_width(std::string_view text);

}  // namespace diffuse
