#include "diffuse/tasks/listops.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

/// Trees that may be thrown away for a row: at the arena's lengths one in twelve is kept.
constexpr int kMostTrees = 1'000'000;

/// A node and what is below it, behind what `tokens` holds. False where that has become longer
/// than any that is kept: the rest is not drawn, for a tree can be a thousand times as long.
bool draw_node(const ListOpsRules& rules, int depth, Random& random,
               std::vector<ListOpsToken>& tokens) {
  constexpr std::uint64_t kOneOperatorIn = 4;
  if (static_cast<std::int64_t>(tokens.size()) >= rules.max_tokens) return false;
  if (depth >= rules.max_depth || random.below(kOneOperatorIn) != 0) {
    tokens.push_back(static_cast<ListOpsToken>(random.below(kListOpsClasses)));
    return true;
  }
  const auto least = static_cast<std::uint64_t>(ListOpsToken::minimum);
  tokens.push_back(static_cast<ListOpsToken>(least + random.below(kListOpsOperators)));
  const std::uint64_t arguments =
      2 + random.below(static_cast<std::uint64_t>(rules.max_arguments) - 1);
  for (std::uint64_t i = 0; i < arguments; ++i)
    if (!draw_node(rules, depth + 1, random, tokens)) return false;
  tokens.push_back(ListOpsToken::close);
  return static_cast<std::int64_t>(tokens.size()) <= rules.max_tokens;
}

/// Of `arguments` sorted, the middle one or the mean of both, rounded down.
int median_of(std::span<const int> arguments) {
  std::array<int, kListOpsClasses> counts{};
  for (const int argument : arguments) ++counts.at(static_cast<std::size_t>(argument));
  const auto at = [&](std::size_t place) {
    int digit = 0;
    for (std::size_t below = static_cast<std::size_t>(counts[0]); below <= place;)
      below += static_cast<std::size_t>(counts.at(static_cast<std::size_t>(++digit)));
    return digit;
  };
  return (at((arguments.size() - 1) / 2) + at(arguments.size() / 2)) / 2;
}

}  // namespace

std::int64_t longest_listops(const ListOpsRules& rules) {
  constexpr std::int64_t kAbove = std::numeric_limits<std::int64_t>::max() / 4096;
  std::int64_t longest = 1;
  for (int depth = rules.max_depth - 1; depth >= 1 && longest < kAbove; --depth)
    longest = 2 + rules.max_arguments * longest;
  return longest;
}

int listops_result(ListOpsToken operation, std::span<const int> arguments) {
  if (arguments.empty()) throw Error("listops_result: an operation has no arguments.");
  switch (operation) {
    case ListOpsToken::minimum:
      return std::ranges::min(arguments);
    case ListOpsToken::maximum:
      return std::ranges::max(arguments);
    case ListOpsToken::median:
      return median_of(arguments);
    case ListOpsToken::sum_modulo:
      return std::accumulate(arguments.begin(), arguments.end(), 0) % kListOpsClasses;
    default:
      throw Error("listops_result: this token is no operator.");
  }
}

std::vector<ListOpsToken> draw_listops(const ListOpsRules& rules, Random& random) {
  std::vector<ListOpsToken> tokens;
  for (int tree = 0; tree < kMostTrees; ++tree) {
    tokens.clear();
    if (draw_node(rules, 1, random, tokens) &&
        static_cast<std::int64_t>(tokens.size()) >= rules.min_tokens)
      return tokens;
  }
  return {};
}

}  // namespace diffuse
