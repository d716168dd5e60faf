#include "soft_label.hpp"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "column_names.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

constexpr const char* kShape =
    "an object {\"class\": probability, ...}, or a list of probabilities";
constexpr double kMostWeight = 1e6;

}  // namespace

ReadStatus read_soft_label(const nlohmann::ordered_json& value, const std::string& key,
                           SoftLabel& to, BadRow& bad) {
  const auto fail = [&](std::string problem, std::string expected) {
    bad = {0, fmt::format("the soft label {} {}", shown_name(key), problem), std::move(expected)};
    return ReadStatus::bad;
  };
  to = {};
  if (!value.is_object() && !value.is_array())
    return fail(fmt::format("is of type {}", value.type_name()), kShape);
  if (value.empty()) return fail("is empty", kShape);
  double sum = 0;
  for (const auto& [name, entry] : value.items()) {
    const double share = entry.is_number() ? entry.get<double>() : -1;
    if (!(share >= 0 && share <= kMostShareSum)) {
      return fail(
          fmt::format(
              "holds {} for {}",
              printable(entry.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), 20),
              value.is_object() ? shown_name(name)
                                : fmt::format("class number {}", to.in_order.size() + 1)),
          "numbers from 0 to 1");
    }
    sum += share;
    if (value.is_array()) {
      to.in_order.push_back(share);
      continue;
    }
    std::string canonical = canonical_name(name);
    if (canonical.empty()) return fail("holds an empty class name", kShape);
    to.by_name.emplace_back(std::move(canonical), share);
  }
  if (sum < kLeastShareSum || sum > kMostShareSum)
    return fail(fmt::format("adds up to {:.6g}", sum),
                fmt::format("1 ({} to {})", kLeastShareSum, kMostShareSum));
  for (auto& [name, share] : to.by_name) share /= sum;
  for (double& share : to.in_order) share /= sum;
  return ReadStatus::row;
}

std::optional<double> parse_weight(std::string_view text) {
  text = trim_invisible(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double weight = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || stop != text.data() + text.size() || text.empty())
    return std::nullopt;
  if (!(weight >= 0 && weight <= kMostWeight)) return std::nullopt;
  return weight;
}

}  // namespace diffuse
