#pragma once

#include <string_view>

namespace diffuse {

// The line at the bottom of the terminal that overwrites itself. It shares stderr with the log, so
// the logger holds its state and its lock.

/// Whether stderr is a terminal on which a line can overwrite itself.
bool stderr_is_terminal();

/// Replaces the line by `text`, cut to the terminal's width.
void show_terminal_line(std::string_view text);

/// Removes the line if there is one.
void clear_terminal_line();

}  // namespace diffuse
