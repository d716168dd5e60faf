#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/tasks/listops.hpp"
#include "diffuse/tasks/listops_tree.hpp"

namespace diffuse {
namespace {

constexpr std::array<std::string_view, kListOpsOperators> kOperatorNames = {"MIN", "MAX", "MED",
                                                                            "SM"};

std::string_view operator_name(ListOpsToken token) {
  return kOperatorNames.at(static_cast<std::size_t>(code_of(token)) - kListOpsClasses);
}

std::string token_text(ListOpsToken token, ListOpsNotation notation) {
  if (is_digit(token)) return std::to_string(code_of(token));
  const bool plain = notation == ListOpsNotation::words;
  if (token == ListOpsToken::close) return plain ? "X" : "]";
  return fmt::format("{}{}", plain ? "" : "[", operator_name(token));
}

/// The binary tree of the arena's files: an operation begins with as many round brackets as it has
/// arguments, and one more for its end.
std::string arena_text(std::span<const ListOpsToken> expression) {
  const std::vector<ListOpsNode> nodes = listops_tree(expression);
  std::string text;
  auto node = nodes.begin();
  int open = 0;
  for (const ListOpsToken token : expression) {
    if (!text.empty()) text += ' ';
    if (is_operator(token)) {
      for (int i = 0; i <= node->arguments; ++i) text += "( ";
      ++node;
      ++open;
    }
    text += token_text(token, ListOpsNotation::arena);
    if (token == ListOpsToken::close) {
      text += " )";
      --open;
    }
    // An argument is done: it and all before it make a pair.
    if (!is_operator(token) && open > 0) text += " )";
  }
  return text;
}

std::optional<ListOpsToken> token_of(std::string_view word) {
  if (word == "]" || word == "X" || word == "x") return ListOpsToken::close;
  if (word.size() == 1 && word[0] >= '0' && word[0] <= '9')
    return static_cast<ListOpsToken>(word[0] - '0');
  if (word.starts_with('[')) word.remove_prefix(1);
  std::string upper(word);
  std::ranges::transform(upper, upper.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  const auto* const found = std::ranges::find(kOperatorNames, upper);
  if (found == kOperatorNames.end()) return std::nullopt;
  return static_cast<ListOpsToken>(kListOpsClasses + (found - kOperatorNames.begin()));
}

}  // namespace

std::string listops_text(std::span<const ListOpsToken> expression, ListOpsNotation notation) {
  if (notation == ListOpsNotation::arena) return arena_text(expression);
  std::string text;
  for (const ListOpsToken token : expression) {
    if (!text.empty()) text += ' ';
    text += token_text(token, notation);
  }
  return text;
}

std::vector<ListOpsToken> parse_listops(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::vector<ListOpsToken> tokens;
  std::size_t number = 0;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;
       at = text.find_first_not_of(kBlanks, at)) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end;
    ++number;
    if (word == "(" || word == ")") continue;
    const auto token = token_of(word);
    if (!token)
      throw DataError(fmt::format(
          "word {} is '{}'; expected a digit, MIN, MAX, MED or SM (or [MIN and so on), X or ].",
          number, printable(word)));
    tokens.push_back(*token);
  }
  return tokens;
}

}  // namespace diffuse
