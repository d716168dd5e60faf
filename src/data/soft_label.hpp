#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "diffuse/data/records.hpp"

namespace diffuse {

/// What the probabilities of a soft label may add up to.
inline constexpr double kLeastShareSum = 0.98;
inline constexpr double kMostShareSum = 1.02;

/// Reads the soft label `value` of key `key`: an object {class: probability} or a list. Returns
/// `bad`, and what is wrong in `bad` but for the line, if something is.
ReadStatus read_soft_label(const nlohmann::ordered_json& value, const std::string& key,
                           SoftLabel& to, BadRow& bad);

/// The weight of a row that `text` spells, at least 0 and finite; nothing if it spells none.
std::optional<double> parse_weight(std::string_view text);

/// What a row's weight should be, for a message.
inline constexpr const char* kWeightWords = "a number from 0 to 1000000";

}  // namespace diffuse
