#include "run_directory.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/ngrams/train_ngrams.hpp"
#include "diffuse/train/checkpointer.hpp"
#include "fold_plan.hpp"
#include "grid_store.hpp"
#include "pretraining.hpp"
#include "rehearsal.hpp"
#include "run_lock.hpp"
#include "subrun.hpp"
#include "train_result.hpp"
#include "tuning_journal.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;
namespace {

const fs::path kRunsFolder = "runs";
/// What a run writes into its folder.
constexpr std::array kRunContent = {
    "config.json",   "manifest.json", "metrics.jsonl",    "train.log",
    "test.json",     "report.html",   "checkpoints",      "tensorboard",
    "baseline.json", "folds.json",    "autotune.json",    "autotune.jsonl",
    "trial",         "grid.json",     kPretrainingFolder, kRehearsalFolder};
/// Beside that a cross-validation and a grid; elsewhere such a name is somebody else's.
constexpr std::array kFoldsContent = {"folds", "cross-validation.json", "predictions.jsonl"};
constexpr std::array kGridContent = {"runs",        "grid.html", "results.jsonl",
                                     "results.csv", "best.json", "summary.json"};

/// Test figures of earlier ends: `test-000246.json`.
bool is_earlier_test(const std::string& name) {
  return name.starts_with("test-") && name.ends_with(".json");
}

/// Whether a file can be made in `folder` is only known by making one: access() lets root write
/// everywhere, also into /proc and onto a full disk. `what` names the run directory in messages.
void check_writable(const fs::path& folder, const std::string& what) {
  std::string probe = (folder / ".diffuse-XXXXXX").string();
  if (mkdtemp(probe.data()) == nullptr) {
    throw UsageError(fmt::format("{}: the folder {} cannot be written to: {}.", what,
                                 folder.string(), std::strerror(errno)));
  }
  rmdir(probe.c_str());
}

/// `what` names the existing folder `out` in messages.
void check_content(const fs::path& out, bool overwrite, const std::string& what) {
  std::error_code error;
  if (fs::is_empty(out, error)) return;
  if (!overwrite) {
    throw UsageError(
        fmt::format("{}: the folder is not empty; name a new one, leave --out away for a numbered "
                    "one under runs/, go on with the run in it (--resume), or replace it "
                    "(--overwrite).",
                    what));
  }
  for (const auto& entry : fs::directory_iterator(out, error)) {
    const std::string name = entry.path().filename().string();
    if (is_run_content(out, name)) continue;
    throw UsageError(
        fmt::format("{}: --overwrite replaces a run, but {} is not part of one; move it away, or "
                    "name another folder.",
                    what, name));
  }
}

/// False if something of that name is there already; throws SystemError if it cannot be created.
bool create(const fs::path& folder) {
  std::error_code error;
  const bool created = fs::create_directory(folder, error);
  if (!created && error && error != std::errc::file_exists) {
    throw SystemError(
        fmt::format("{}: the folder cannot be created: {}.", folder.string(), error.message()));
  }
  return created;
}

/// A folder can only be made below one that exists and may be written to. `what` names it in
/// messages.
void check_parent(const fs::path& out, const std::string& what) {
  std::error_code error;
  fs::path parent = fs::absolute(out).lexically_normal().parent_path();
  while (!fs::exists(parent, error) && parent != parent.root_path()) parent = parent.parent_path();
  if (!fs::is_directory(parent, error)) {
    throw UsageError(fmt::format("{}: {} is a file; expected a folder.", what, parent.string()));
  }
  check_writable(parent, what);
}

/// Whether training can go on from the checkpoint `folder`.
bool can_be_resumed(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "state.json", ignored) &&
         fs::is_regular_file(folder / "optimizer.safetensors", ignored);
}

}  // namespace

bool is_run_content(const fs::path& folder, const std::string& name) {
  const auto among = [&](const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::error_code ignored;
  return among(kRunContent) || is_earlier_test(name) ||
         (among(kFoldsContent) && fs::exists(folder / "folds.json", ignored)) ||
         (among(kGridContent) && is_grid(folder));
}

void check_run_directory(const fs::path& out, const std::string& name, bool overwrite) {
  if (out.empty()) {
    check_parent(kRunsFolder / "new",
                 fmt::format("the run directory goes below {}/", kRunsFolder.string()));
    const fs::path folder = kRunsFolder / name;
    std::error_code ignored;
    if (overwrite && !name.empty() && fs::exists(folder, ignored)) {
      check_content(folder, overwrite, folder.string());
      const RunLock free(folder);
    }
    return;
  }
  std::error_code error;
  const bool exists = fs::exists(out, error);
  if (error) throw UsageError(fmt::format("--out {}: {}.", out.string(), error.message()));
  if (!exists) {
    check_parent(out, "--out " + out.string());
    return;
  }
  if (!fs::is_directory(out, error)) {
    throw UsageError(
        fmt::format("--out {}: this is a file; expected a new or empty folder.", out.string()));
  }
  check_content(out, overwrite, "--out " + out.string());
  check_writable(out, "--out " + out.string());
  const RunLock free(out);  // another training in it is told before the data is read
}

fs::path create_run_directory(const fs::path& out, const std::string& name, bool overwrite) {
  if (!out.empty()) {
    check_run_directory(out, name, overwrite);
    create_folders(out);
    return out;
  }
  create_folders(kRunsFolder);
  const fs::path first = kRunsFolder / name;
  if (overwrite) {
    create_folders(first);
    return first;
  }
  fs::path folder = first;
  for (int number = 2; !create(folder); ++number) {
    folder = first.string() + "-" + std::to_string(number);
  }
  return folder;
}

void clear_run_directory(const fs::path& folder, bool overwrite) {
  check_content(folder, overwrite, folder.string());
  if (!overwrite) return;
  std::error_code error;
  std::vector<fs::path> content;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (is_run_content(folder, entry.path().filename().string())) content.push_back(entry.path());
  }
  for (const fs::path& path : content) {
    fs::remove_all(path, error);
    if (error)
      throw SystemError(fmt::format("{}: cannot be removed: {}.", path.string(), error.message()));
  }
}

namespace {

std::vector<fs::path> rehearsal_folders(const fs::path& run_dir) {
  std::vector<fs::path> folders;
  for (std::int64_t fold = 0; fold < kNgramFolds; ++fold)
    folders.push_back(rehearsal_directory(run_dir, fold));
  return folders;
}

/// Whether the run's own checkpoints are of texts without labels.
bool is_pretraining(const fs::path& run_dir) {
  const fs::path last = last_checkpoint(run_dir);
  std::error_code error;
  return !last.empty() && fs::file_size(last / "labels.txt", error) == 0 && !error;
}

}  // namespace

void check_resumable(const fs::path& run_dir, RunKind kind) {
  const auto fail = [&](const std::string& reason) {
    throw UsageError(fmt::format("--resume {}: {}.", run_dir.string(), reason));
  };
  std::error_code error;
  if (!fs::is_directory(run_dir, error)) fail("there is no such folder");
  if (fs::is_regular_file(run_dir / "state.json", error)) {
    fail(fmt::format("this is one checkpoint; give the run that it belongs to: --resume {}",
                     fs::weakly_canonical(run_dir).parent_path().parent_path().string()));
  }
  if (!fs::is_regular_file(run_dir / "config.json", error)) {
    fail(
        "this is not the run directory of a training; it has no config.json. Give the folder that "
        "`diffuse train` named as its run directory");
  }
  const bool grid = kind == RunKind::grid;
  if (is_grid(run_dir) != grid) {
    fail(grid ? "this is no folder of `diffuse grid`; one training goes on with `diffuse train "
                "--resume`"
              : "this is a folder of `diffuse grid`, which goes on with `diffuse grid --resume`");
  }
  if (grid) return;
  const bool of_texts = kind == RunKind::pretraining;
  const std::string folder = shell_quoted(run_dir.string());
  if (is_pretraining(run_dir)) {
    if (!of_texts)
      fail(
          fmt::format("this is a run of `diffuse pretrain`, which goes on with `diffuse pretrain "
                      "--resume {0}`; a training begins with its weights by `diffuse train --init "
                      "{0}`",
                      folder));
    return;
  }
  // Each fold has its own checkpoints, and the trainings of a search are found in its journal.
  const bool of_many = read_fold_settings(run_dir) || is_tuning(run_dir);
  if (!of_many && newest_checkpoint(run_dir).empty())
    fail(fmt::format(
        "the run was stopped before its first checkpoint, there is nothing to go on from; start it "
        "anew (in its place: --out {} --overwrite)",
        folder));
  if (of_texts)
    fail(
        fmt::format("this is a run of `diffuse train`, which goes on with `diffuse train --resume "
                    "{}`",
                    folder));
}

bool is_tuning(const fs::path& run_dir) {
  return read_tuning_settings(run_dir) && newest_checkpoint(run_dir).empty();
}

void check_is_one_run(const fs::path& path) {
  if (is_grid(path))
    throw CheckpointError(
        fmt::format("'{}' is a grid of many models; name one of them, {}/runs/...: those of the "
                    "best combination are kept (summary.json says which it is).",
                    path.string(), path.string()));
  if (is_tuning(path))
    throw CheckpointError(
        fmt::format("'{}' is a search that has not trained what it chooses yet; go on with it: "
                    "diffuse train --resume {}",
                    path.string(), shell_quoted(path.string())));
}

fs::path last_checkpoint(const fs::path& run_dir) {
  const fs::path root = run_dir / "checkpoints";
  std::error_code error;
  const fs::path link = fs::read_symlink(root / "last", error);
  const fs::path named = error ? pointed_folder(root / "last") : root / link;
  if (named != root / "last" && can_be_resumed(named)) return named;
  // A crash between a checkpoint and its link, or a copy that lost the links.
  const std::vector<std::int64_t> updates = checkpoint_updates(root);
  const auto newest = std::find_if(updates.rbegin(), updates.rend(), [&](std::int64_t update) {
    return can_be_resumed(checkpoint_folder(root, update));
  });
  return newest == updates.rend() ? fs::path() : checkpoint_folder(root, *newest);
}

fs::path newest_checkpoint(const fs::path& run_dir) {
  std::vector<fs::path> folders = {run_dir, run_dir / kPretrainingFolder};
  const std::vector<fs::path> rehearsed = rehearsal_folders(run_dir);
  folders.insert(folders.end(), rehearsed.begin(), rehearsed.end());
  for (const fs::path& folder : folders)
    if (fs::path last = last_checkpoint(folder); !last.empty()) return last;
  return {};
}

std::string way_on_from(const fs::path& run_dir, const std::string& verb) {
  const fs::path newest = newest_checkpoint(run_dir);
  if (newest.empty())
    return fmt::format(
        "The run has no checkpoint yet; start it anew (in its place: --out {} --overwrite).",
        shell_quoted(relative_if_shorter(run_dir)));
  return fmt::format("The last checkpoint, {}, stands. Go on with:\n  diffuse {} --resume {}",
                     relative_if_shorter(newest), verb, shell_quoted(relative_if_shorter(run_dir)));
}

bool has_weights(const fs::path& run_dir) {
  return !last_checkpoint(run_dir).empty() ||
         !last_checkpoint(run_dir / kPretrainingFolder).empty();
}

void remove_rehearsed(const fs::path& run_dir) {
  for (const fs::path& folder : rehearsal_folders(run_dir)) remove_checkpoints(folder);
}

void warn_of_incomplete_last(const fs::path& run_dir) {
  const fs::path link = run_dir / "checkpoints" / "last";
  const fs::path named = pointed_folder(link);
  std::error_code ignored;
  if (!fs::is_directory(named, ignored) || can_be_resumed(named)) return;
  log::warning("{} is not whole (it lacks state.json or optimizer.safetensors): going on from {}",
               link.string(), last_checkpoint(run_dir).string());
}

EarlierTest::EarlierTest(const fs::path& run_dir)
    : run_dir_(run_dir), last_(last_checkpoint(run_dir)) {
  std::error_code failed;
  const fs::path test = run_dir / "test.json";
  if (!fs::is_regular_file(test, failed)) return;
  const fs::path aside = run_dir / fmt::format("test-{}.json", last_.filename().string());
  fs::rename(test, aside, failed);
  if (!failed) aside_ = aside;
}

bool EarlierTest::trained() const { return last_checkpoint(run_dir_) != last_; }

EarlierTest::~EarlierTest() {
  std::error_code ignored;
  if (aside_.empty() || fs::exists(run_dir_ / "test.json", ignored) || trained()) return;
  fs::rename(aside_, run_dir_ / "test.json", ignored);
}

void EarlierTest::tell() const {
  if (!aside_.empty() && trained())
    log::info("the test figures of the run so far are kept in {}", aside_.string());
}

std::string run_name(const fs::path& config, const fs::path& train_file) {
  fs::path name = config.empty() ? train_file.filename() : config.filename();
  // That of a run is called so in each of them.
  if (name == "config.json") {
    const fs::path run = fs::absolute(config).lexically_normal().parent_path().filename();
    if (!run.empty()) return run.string();
  }
  if (name.extension() == ".gz") name = name.stem();
  name = name.stem();
  if (config.empty() && is_file_pattern(train_file.string())) {  // "news-*" is "news"
    std::string plain = name.string();
    std::erase_if(plain, [](char c) { return c == '*' || c == '?' || c == '[' || c == ']'; });
    plain.erase(plain.find_last_not_of("-_.") + 1);
    name = plain;
  }
  return name.empty() || name == kStdinName ? "run" : name.string();
}

}  // namespace diffuse::cli
