#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace diffuse::cli {

/// What a run of `train --autotune` is asked for beside its config; `autotune.json` of its
/// directory.
struct TuningSettings {
  std::string budget;              ///< "10m", "20000u"
  std::vector<std::string> fixed;  ///< keys that stay as they are
  bool chosen = false;             ///< config.json is what was chosen, no longer the start
  std::string changes{};           ///< of what was chosen against the start
};

void write_tuning_settings(const std::filesystem::path& run_dir, const TuningSettings& settings);
/// Nothing where the directory is not of such a run. Throws DataError for a damaged file.
std::optional<TuningSettings> read_tuning_settings(const std::filesystem::path& run_dir);

/// One training of a candidate, and what it reached on the rows kept aside.
struct TuningTrial {
  std::size_t candidate = 0;
  std::size_t rung = 0;
  std::size_t fold = 0;
  std::string changes;  ///< what is other than at the start
  double accuracy = 0;
  std::optional<double> macro_f1;
  double loss = 0;
  std::vector<std::uint8_t> right;  ///< [n] of the rows kept aside
  std::int64_t updates = 0;
  double time_s = 0;  ///< with reading and measuring

  /// Whether both are the same candidate on the same rung and fold.
  bool same_place(const TuningTrial& other) const;
};

/// `autotune.jsonl`: a line for each training. A search that is gone on with makes the same steps
/// again and finds here what they gave.
class TuningJournal {
 public:
  /// Reads what is there. A last line that was not written whole is dropped. Throws DataError
  /// (`file:line`) for any other damage.
  explicit TuningJournal(std::filesystem::path path);

  /// The line that is next, if it is of `place`. If it is of another one the search goes another
  /// way than before (by another program, or on other data): the rest is dropped, with a warning.
  std::optional<TuningTrial> next(const TuningTrial& place);
  void add(const TuningTrial& trial);

 private:
  std::filesystem::path path_;
  std::string kept_;                ///< the file's text as far as it holds
  std::deque<TuningTrial> left_{};  ///< not yet asked for
  std::deque<std::string> lines_{};
};

}  // namespace diffuse::cli
