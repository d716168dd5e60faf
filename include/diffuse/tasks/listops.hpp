#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/base/random.hpp"

namespace diffuse {

/// ListOps (Nangia and Bowman, "ListOps: a diagnostic dataset for latent tree learning", NAACL
/// student workshop 2018) in the form of the Long Range Arena (Tay et al., ICLR 2021): the value of
/// nested operations on digits, 0 to 9.

/// One of the 15 tokens: 0 to 9 stand for themselves.
enum class ListOpsToken : std::uint8_t { minimum = 10, maximum, median, sum_modulo, close };

inline constexpr int kListOpsTokens = 15;
inline constexpr int kListOpsClasses = 10;
inline constexpr int kListOpsOperators = 4;

constexpr int code_of(ListOpsToken token) { return static_cast<int>(token); }
constexpr bool is_digit(ListOpsToken token) { return code_of(token) < kListOpsClasses; }
constexpr bool is_operator(ListOpsToken token) {
  return !is_digit(token) && token != ListOpsToken::close;
}

/// How expressions are drawn; the defaults are the arena's.
struct ListOpsRules {
  int max_depth = 10;             ///< levels of the tree; a node of the last is a digit
  int max_arguments = 10;         ///< of an operation, which has at least two
  std::int64_t min_tokens = 501;  ///< the arena: more than 500 and fewer than 2,000
  std::int64_t max_tokens = 1999;
};

/// The most tokens that an expression of `rules` can have, or a number above any other.
std::int64_t longest_listops(const ListOpsRules& rules);

/// What an operation of these arguments, digits all, gives. Minimum; maximum; median, which is for
/// an even count the mean of the two middle ones, rounded down; sum modulo 10. Throws Error without
/// any argument or for a token that is no operator.
int listops_result(ListOpsToken operation, std::span<const int> arguments);

/// Draws one tree as the arena does: a node is a digit with probability 3/4, and on the last level
/// always, or else one of four operators with 2 to `max_arguments` arguments, each equally
/// likely. Trees of another length than asked for are thrown away and drawn anew; after a million
/// of them nothing is returned.
std::vector<ListOpsToken> draw_listops(const ListOpsRules& rules, Random& random);

/// The value of an expression. Throws DataError where it is none.
int listops_value(std::span<const ListOpsToken> expression);

/// How expressions are written.
enum class ListOpsNotation : std::uint8_t {
  words,     ///< MAX 2 9 4 X: each token a word of letters or digits
  brackets,  ///< [MAX 2 9 4 ]
  arena      ///< ( ( ( ( [MAX 2 ) 9 ) 4 ) ] ): a binary tree, as in the arena's files
};

std::string listops_text(std::span<const ListOpsToken> expression, ListOpsNotation notation);

/// Reads any of the notations, in letters of either case: words parted by blanks, round brackets
/// passed over, `X` or `]` closes. Throws DataError, naming the word by its place from 1, for what
/// is no token; whether the tokens make an expression is for listops_value to say.
std::vector<ListOpsToken> parse_listops(std::string_view text);

}  // namespace diffuse
