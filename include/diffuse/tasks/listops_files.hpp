#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/tasks/listops.hpp"
#include "diffuse/tasks/task_files.hpp"

namespace diffuse {

/// ListOps as files: what `diffuse data listops` makes.
struct ListOpsTask {
  ListOpsRules rules{};
  ListOpsNotation notation = ListOpsNotation::words;
  std::uint64_t seed = 0;
  SplitRows rows{.train = 96'000, .validation = 2'000, .test = 2'000};
};

/// What a file of expressions is like.
struct ListOpsSummary {
  Split split = Split::train;
  TaskFile file;
  std::int64_t rows = 0;
  std::array<std::int64_t, kListOpsClasses> classes{};
  std::vector<std::int64_t> lengths;  ///< [max_tokens + 1]: rows of so many tokens
  std::array<std::int64_t, kListOpsOperators> operators{};  ///< in all rows, as their tokens count
  std::int64_t duplicates = 0;  ///< drawn again, because they had come before
};

/// The number of tokens that a part of the rows, `q` in [0, 1], does not exceed; 0 without rows.
std::int64_t length_quantile(const ListOpsSummary& summary, double q);

/// Writes train.tsv, validation.tsv and test.tsv into `folder`, which must be there: a header, then
/// a label and a text a line (in the arena's notation Source and Target, as its files have them).
/// No expression comes twice, in one file or two: one that does is drawn again. Of each expression
/// 64 bits are kept for that; the rest of the memory does not grow with the rows. Throws UsageError
/// where the rules give too few expressions, SystemError where a file cannot be written.
std::vector<ListOpsSummary> write_listops(const ListOpsTask& task,
                                          const std::filesystem::path& folder, WorkerPool& pool,
                                          const OnTaskRow& on_row);

}  // namespace diffuse
