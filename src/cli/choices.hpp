#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/text_util.hpp"

namespace diffuse::cli {

/// For `Option::transform`: an option that takes one of the names in `choices` and nothing else.
template <class Enum>
CLI::Validator one_of(std::vector<std::pair<std::string, Enum>> choices) {
  const auto convert = [choices = std::move(choices)](std::string& text) -> std::string {
    std::vector<std::string> names;
    for (const auto& [name, value] : choices) {
      if (name == text) {
        text = std::to_string(static_cast<long long>(value));
        return "";
      }
      names.push_back(name);
    }
    const auto nearest = nearest_name(text, names);
    return fmt::format("{} is not one of {}{}", printable(text), join(names, ", "),
                       nearest ? fmt::format("; did you mean {}?", *nearest) : "");
  };
  return CLI::Validator(convert, "", "one_of");
}

}  // namespace diffuse::cli
