#include "diffuse/tasks/listops_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_set>

#include "diffuse/base/error.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/tasks/ordered_rows.hpp"
#include "tasks/row_file.hpp"

namespace diffuse {
namespace {

/// So often an expression is drawn anew that has come before.
constexpr std::int64_t kMostRedraws = 1000;

std::vector<ListOpsToken> expression_of(const ListOpsTask& task, Split split, std::int64_t row,
                                        std::int64_t redraw) {
  Random random = row_random(task.seed, split, row, redraw);
  std::vector<ListOpsToken> expression = draw_listops(task.rules, random);
  if (expression.empty())
    throw UsageError(fmt::format(
        "of a million expressions with at most {} levels and {} arguments none had {} to {} "
        "tokens; expected lengths that are likelier: give --min-length and --max-length more room, "
        "or change --max-depth and --max-args.",
        task.rules.max_depth, task.rules.max_arguments, task.rules.min_tokens,
        task.rules.max_tokens));
  return expression;
}

/// Writes the expressions of one file.
class ListOpsFile {
 public:
  ListOpsFile(const ListOpsTask& task, Split split, const std::filesystem::path& folder,
              std::unordered_set<std::uint64_t>& known)
      : task_(task), known_(known), file_(folder / (std::string(split_name(split)) + ".tsv")) {
    summary_.split = split;
    summary_.lengths.resize(static_cast<std::size_t>(task.rules.max_tokens) + 1);
    file_.write(task.notation == ListOpsNotation::arena ? "Source\tTarget\n" : "label\ttext\n");
  }

  /// The next row, or what is drawn in its place where it has come before.
  void add(std::int64_t row, std::vector<ListOpsToken>& expression) {
    for (std::int64_t redraw = 1; !is_new(expression); ++redraw) {
      if (redraw > kMostRedraws)
        throw UsageError(fmt::format(
            "there are too few different expressions of {} to {} tokens: after {} of them a "
            "thousand draws gave no other; expected fewer rows, or room for more expressions "
            "(--max-length, --max-depth, --max-args).",
            task_.rules.min_tokens, task_.rules.max_tokens,
            format_count(static_cast<long long>(known_.size()))));
      ++summary_.duplicates;
      expression = expression_of(task_, summary_.split, row, redraw);
    }
    const int value = listops_value(expression);
    count(expression, value);
    const std::string text = listops_text(expression, task_.notation);
    file_.write(task_.notation == ListOpsNotation::arena ? fmt::format("{}\t{}\n", text, value)
                                                         : fmt::format("{}\t{}\n", value, text));
  }

  ListOpsSummary finish() {
    summary_.file = file_.finish();
    return summary_;
  }

 private:
  bool is_new(const std::vector<ListOpsToken>& expression) {
    static_assert(sizeof(ListOpsToken) == 1);
    const std::string_view bytes(reinterpret_cast<const char*>(expression.data()),
                                 expression.size());
    return known_.insert(hash64(bytes)).second;
  }

  void count(const std::vector<ListOpsToken>& expression, int value) {
    ++summary_.rows;
    ++summary_.classes.at(static_cast<std::size_t>(value));
    ++summary_.lengths.at(expression.size());
    for (const ListOpsToken token : expression)
      if (is_operator(token))
        ++summary_.operators.at(static_cast<std::size_t>(code_of(token)) - kListOpsClasses);
  }

  const ListOpsTask& task_;
  std::unordered_set<std::uint64_t>& known_;
  RowFile file_;
  ListOpsSummary summary_{};
};

}  // namespace

std::int64_t length_quantile(const ListOpsSummary& summary, double q) {
  const auto wanted = static_cast<std::int64_t>(std::ceil(q * static_cast<double>(summary.rows)));
  std::int64_t below = 0;
  for (std::size_t length = 0; length < summary.lengths.size(); ++length) {
    below += summary.lengths[length];
    if (below > 0 && below >= wanted) return static_cast<std::int64_t>(length);
  }
  return 0;
}

std::vector<ListOpsSummary> write_listops(const ListOpsTask& task,
                                          const std::filesystem::path& folder, WorkerPool& pool,
                                          const OnTaskRow& on_row) {
  using Expression = std::vector<ListOpsToken>;
  std::vector<ListOpsSummary> summaries;
  std::unordered_set<std::uint64_t> known;
  for (const Split split : kSplitsInOrder) {
    const std::int64_t rows = task.rows.of(split);
    if (rows == 0) continue;
    ListOpsFile file(task, split, folder, known);
    for_rows_in_order<Expression>(
        rows, pool, [&](std::int64_t row) { return expression_of(task, split, row, 0); },
        [&](std::int64_t row, Expression& expression) {
          file.add(row, expression);
          on_row(split, row + 1, rows);
        });
    summaries.push_back(file.finish());
  }
  std::ranges::reverse(summaries);  // train first, as one reads them
  return summaries;
}

}  // namespace diffuse
