#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "diffuse/report/metric_lines.hpp"

namespace diffuse {

/// One run, in the order of its updates.
struct RunHistory {
  std::vector<HistoryStart> starts;  ///< the start and each resume
  std::vector<HistoryTrain> train;
  std::vector<HistoryEpoch> epochs;
  std::optional<HistoryDivergence> divergence{};
  std::optional<HistoryDone> done{};  ///< absent of a run that goes on or was killed
  std::int64_t replaced_lines = 0;    ///< of updates that a resume made again
  std::int64_t cut_off_lines = 0;     ///< left by a program that was killed
};

/// Reads `metrics.jsonl`. A resume (a `start` line) at update u takes back every line before it of
/// a later update than u, and the end of the run that stood there. Unknown types and keys are
/// passed over. The last line may be cut off, and so may one before a `start` line.
/// Throws SystemError if the file cannot be read, DataError (`file:line`) for another damaged line.
RunHistory read_run_history(const std::filesystem::path& path);

}  // namespace diffuse
