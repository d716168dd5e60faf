#pragma once

#include <filesystem>
#include <string>

namespace diffuse::cli {

/// Whether `name` is that of a file or folder which the run in `folder` wrote, or would write.
bool is_run_content(const std::filesystem::path& folder, const std::string& name);

/// Throws UsageError if `out`, a run directory named by the user, cannot be used: it is a file, or
/// a folder that holds something; with `overwrite`, something that no run wrote. An empty `out`
/// stands for `runs/<name>`.
void check_run_directory(const std::filesystem::path& out, const std::string& name, bool overwrite);

/// Creates the run directory and returns it: `out` if not empty (checked as above), else
/// `runs/<name>`, with -2, -3, ... added as long as that is taken, or as it is with `overwrite`.
/// Throws SystemError if it cannot be created.
std::filesystem::path create_run_directory(const std::filesystem::path& out,
                                           const std::string& name, bool overwrite);

/// Checks once more, now that it is locked, that `folder` can take a new run, and with `overwrite`
/// removes the old one. Throws as check_run_directory does.
void clear_run_directory(const std::filesystem::path& folder, bool overwrite);

/// Which verb makes a run and goes on with it: train, pretrain or grid.
enum class RunKind { training, pretraining, grid };

/// Throws UsageError if the folder `run_dir` is not a run of that kind that can be gone on with.
void check_resumable(const std::filesystem::path& run_dir, RunKind kind);

/// Whether `run_dir` is of a `train --autotune` that has no checkpoint of what it chose yet.
bool is_tuning(const std::filesystem::path& run_dir);

/// Throws CheckpointError, with what to name instead, where `path` is a folder of `diffuse grid`,
/// which holds many models, or of a search that has none yet.
void check_is_one_run(const std::filesystem::path& path);

/// The newest whole checkpoint in a run directory; empty where there is none.
std::filesystem::path last_checkpoint(const std::filesystem::path& run_dir);
/// The same, or that of its rehearsal or pretraining where the training has none yet: there is one
/// in each run that check_resumable let pass.
std::filesystem::path newest_checkpoint(const std::filesystem::path& run_dir);
/// Whether the weights of a training that goes on in `run_dir` are in a checkpoint there, its own
/// or its pretraining's.
bool has_weights(const std::filesystem::path& run_dir);
/// Where a run failed: which checkpoint stands, and the command that goes on with it.
std::string way_on_from(const std::filesystem::path& run_dir, const std::string& verb);
/// Removes the checkpoints of the run's rehearsal, if they can be: for when it has its own.
void remove_rehearsed(const std::filesystem::path& run_dir);

/// Warns where that is not the one that the run calls its last.
void warn_of_incomplete_last(const std::filesystem::path& run_dir);

/// The figures of a finished run's test while the run goes on: set aside as `test-<update>.json` by
/// the last checkpoint's update, so that `test.json` is never that of other weights.
class EarlierTest {
 public:
  /// Renames `test.json`, where there is one.
  explicit EarlierTest(const std::filesystem::path& run_dir);
  /// Where nothing has been trained since, it has its name back.
  ~EarlierTest();
  EarlierTest(const EarlierTest&) = delete;
  EarlierTest& operator=(const EarlierTest&) = delete;
  /// Tells where it is, if something has been trained since.
  void tell() const;

 private:
  bool trained() const;

  std::filesystem::path run_dir_;
  std::filesystem::path last_;   ///< the last checkpoint at the beginning
  std::filesystem::path aside_;  ///< empty where there was none
};

/// Name of the default run directory: the config file's name without its extension, else that of
/// the training file.
std::string run_name(const std::filesystem::path& config, const std::filesystem::path& train_file);

}  // namespace diffuse::cli
