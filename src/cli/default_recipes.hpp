#pragma once

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "diffuse/config/load.hpp"

namespace diffuse::cli {

/// Sets keys that nobody has given, and remembers them for the log.
class Choices {
 public:
  explicit Choices(const Overrides& given) : given_(given) {}

  template <class Value>
  void set(const char* key, Value& member, const Value& value) {
    if (is_given(key) || member == value) return;
    member = value;
    if (!text_.empty()) text_ += ", ";
    if constexpr (std::is_enum_v<Value>)
      text_ += fmt::format("{} = {}", key, enum_name(value));
    else
      text_ += fmt::format("{} = {}", key, value);
  }
  bool is_given(std::string_view key) const {
    return std::ranges::any_of(given_, [&](const auto& entry) { return entry.first == key; });
  }
  const std::string& text() const { return text_; }

 private:
  const Overrides& given_;
  std::string text_;
};

/// A question, a title: what decides is a phrase, and the strongest match of each channel is the
/// answer (configs/trec.json, which says how it was found).
void choose_for_short_texts(Config& config, Choices& choices);

/// Few texts: many small updates of a network that learns them by heart late (configs/r8.json).
void choose_for_few_texts(Config& config, Choices& choices);

/// Two classes: opinions, mostly, of which a network that learns its texts by heart knows nothing
/// new; a few epochs know as much in a third of the time (docs/defaults.md, configs/imdb.json).
void choose_for_two_classes(Config& config, Choices& choices);

/// Many texts: pairs of words have rows of their own, and a second pass over each batch pays
/// (configs/agnews.json, at half of its width).
void choose_for_many_texts(Config& config, Choices& choices);

/// Pictures of 32 x 32 pixels, row by row (configs/image.json, in a third of its epochs): steps
/// that read along a row and along a column in turns, at distances that grow. Whether a mirrored
/// picture keeps its label nobody but the user knows.
void choose_for_pixels(Config& config, Choices& choices);

/// `start` with each of the recipes for a kind of texts over it. Keys among `given` stay, and the
/// rows that are held back. One that the configuration's checks refuse is left out.
std::vector<Config> default_recipes(const Config& start, const Overrides& given);

}  // namespace diffuse::cli
