#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "diffuse/tasks/listops.hpp"

namespace diffuse {

/// An operation of an expression.
struct ListOpsNode {
  ListOpsToken operation = ListOpsToken::minimum;
  std::size_t first = 0;  ///< place of its operator among the tokens
  std::size_t last = 0;   ///< place of its closing bracket
  int depth = 1;          ///< 1: the root
  int arguments = 0;
  int value = 0;
};

/// The operations of an expression in the order of their operators, the root first; none for a
/// digit alone. Throws DataError where the tokens are no expression: what is wrong, with which
/// token (from 1).
std::vector<ListOpsNode> listops_tree(std::span<const ListOpsToken> expression);

/// The value where only the uppermost `levels` of operations are computed and each below counts as
/// its operator's likeliest value: 0 for a minimum, 9 for a maximum, 4 for a median, and for a sum
/// modulo 10 `sum`. How much of the task so little of the tree answers says what a model that gets
/// no further can reach.
int listops_upper_value(std::span<const ListOpsToken> expression, int levels, int sum);

}  // namespace diffuse
