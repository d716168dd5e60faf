#include "diffuse/tasks/listops_tree.hpp"

#include <fmt/core.h>

#include <string_view>

#include "diffuse/base/error.hpp"

namespace diffuse {
namespace {

[[noreturn]] void fail_at(std::size_t token, std::string_view what) {
  throw DataError(fmt::format("token {} of the expression: {}.", token + 1, what));
}

/// An operation that is not closed yet.
struct OpenOperation {
  std::size_t node;
  std::size_t first_argument;  ///< among the values that wait
};

/// Reads an expression with a stack of its own, for it may be of any depth.
class ListOpsReader {
 public:
  std::vector<ListOpsNode> read(std::span<const ListOpsToken> expression) {
    if (expression.empty())
      throw DataError("the expression is empty; expected a digit or an operation.");
    for (std::size_t at = 0; at < expression.size(); ++at) {
      if (at > 0 && open_.empty()) fail_at(at, "the expression has ended before it");
      step(expression[at], at);
    }
    if (!open_.empty())
      throw DataError(fmt::format(
          "token {} of the expression: this operation is never closed; expected X or ].",
          nodes_[open_.back().node].first + 1));
    return std::move(nodes_);
  }

  int value() const { return values_.front(); }

 private:
  void step(ListOpsToken token, std::size_t at) {
    if (is_digit(token)) {
      values_.push_back(code_of(token));
    } else if (is_operator(token)) {
      open_.push_back({nodes_.size(), values_.size()});
      nodes_.push_back({.operation = token, .first = at, .depth = static_cast<int>(open_.size())});
    } else {
      close(at);
    }
  }

  void close(std::size_t at) {
    if (open_.empty()) fail_at(at, "it closes an operation, but none is open");
    const OpenOperation operation = open_.back();
    open_.pop_back();
    const std::span arguments = std::span<const int>(values_).subspan(operation.first_argument);
    if (arguments.empty()) fail_at(at, "it closes an operation without arguments");
    ListOpsNode& node = nodes_[operation.node];
    node.last = at;
    node.arguments = static_cast<int>(arguments.size());
    node.value = listops_result(node.operation, arguments);
    values_.resize(operation.first_argument);
    values_.push_back(node.value);
  }

  std::vector<ListOpsNode> nodes_;
  std::vector<OpenOperation> open_;
  std::vector<int> values_;
};

int likeliest_value(ListOpsToken operation, int sum) {
  switch (operation) {
    case ListOpsToken::minimum:
      return 0;
    case ListOpsToken::maximum:
      return kListOpsClasses - 1;
    case ListOpsToken::median:
      return kListOpsClasses / 2 - 1;
    default:
      return sum;
  }
}

}  // namespace

std::vector<ListOpsNode> listops_tree(std::span<const ListOpsToken> expression) {
  return ListOpsReader().read(expression);
}

int listops_value(std::span<const ListOpsToken> expression) {
  ListOpsReader reader;
  reader.read(expression);
  return reader.value();
}

int listops_upper_value(std::span<const ListOpsToken> expression, int levels, int sum) {
  const std::vector<ListOpsNode> nodes = listops_tree(expression);
  std::vector<ListOpsToken> upper;
  auto node = nodes.begin();
  for (std::size_t at = 0; at < expression.size(); ++at) {
    if (!is_operator(expression[at])) {
      upper.push_back(expression[at]);
      continue;
    }
    if (node->depth <= levels) {
      upper.push_back(expression[at]);
      ++node;
      continue;
    }
    upper.push_back(static_cast<ListOpsToken>(likeliest_value(node->operation, sum)));
    at = node->last;
    while (node != nodes.end() && node->first <= at) ++node;
  }
  return listops_value(upper);
}

}  // namespace diffuse
