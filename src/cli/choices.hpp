#pragma once

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>
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

/// For `Option::check`: a number from `least` to 1. A percentage is told as what it is.
inline CLI::Validator is_share(double least = 0) {
  const auto check = [least](const std::string& text) -> std::string {
    double value = 0;
    const bool is_number = CLI::detail::lexical_cast(text, value);
    if (is_number && value >= least && value <= 1) return "";
    const std::string_view digits(text.data(), text.size() - (text.ends_with('%') ? 1 : 0));
    double percent = 0;
    const bool is_percent =
        CLI::detail::lexical_cast(std::string(digits), percent) && percent > 1 && percent <= 100;
    return fmt::format("{} is not a part from 0 to 1{}", printable(text),
                       is_percent ? fmt::format("; {0} % is {1}", percent, percent / 100) : "");
  };
  return CLI::Validator(check, "", "is_share");
}

}  // namespace diffuse::cli
