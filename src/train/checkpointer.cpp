#include "diffuse/train/checkpointer.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/model/checkpoint_manifest.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

std::string folder_name(std::int64_t update) { return fmt::format("{:06}", update); }

}  // namespace

std::vector<std::int64_t> checkpoint_updates(const fs::path& root) {
  std::vector<std::int64_t> updates;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root, ignored)) {
    const std::string name = entry.path().filename().string();
    std::int64_t update = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), update);
    const bool number = error == std::errc() && end == name.data() + name.size();
    if (number && name == folder_name(update)) updates.push_back(update);
  }
  std::sort(updates.begin(), updates.end());
  return updates;
}

fs::path checkpoint_folder(const fs::path& root, std::int64_t update) {
  return root / folder_name(update);
}

Checkpointer::Checkpointer(const fs::path& run_dir, std::int64_t keep)
    : root_(run_dir / "checkpoints"),
      keep_(static_cast<std::size_t>(std::max<std::int64_t>(keep, 1))) {
  create_folders(root_);
  kept_ = checkpoint_updates(root_);
}

void Checkpointer::adopt(const TrainingState& state) const {
  point("last", state.update);
  std::error_code ignored;
  if (state.has_best && fs::is_directory(folder(state.best_update), ignored))
    point("best", state.best_update);
}

fs::path Checkpointer::save(const TrainingState& state, const CheckpointContent& content) {
  const fs::path target = folder(state.update);
  FolderWriter writer(target);
  std::optional<NgramsContent> ngrams = content.ngrams;
  // Its weights never change: all checkpoints can share one file.
  if (ngrams && !kept_.empty()) ngrams->same_file = folder(kept_.back()) / kNgramsFile;
  save_model(writer.folder(), content.config, *content.data.tokenizer, content.data.labels,
             content.classifier, content.model_tensors, &content.data.facts, content.rows,
             ngrams ? &*ngrams : nullptr);
  save_confidence(writer.folder(), content.confidence);
  save_tensors(writer.folder() / "optimizer.safetensors", content.training_tensors);
  write_file_atomically(writer.folder() / "state.json",
                        training_state_json(state, content.schedule));
  write_checkpoint_manifest(writer.folder());
  writer.publish();
  // Newest last: going on from an older checkpoint writes some anew.
  std::erase(kept_, state.update);
  kept_.push_back(state.update);
  point("last", state.update);
  // Where nothing chooses, the last one is the result.
  const bool best =
      state.has_best ? state.best_update == state.update : content.data.validation.size() == 0;
  if (best) point("best", state.update);
  prune(state);
  return target;
}

void Checkpointer::point(const std::string& link, std::int64_t update) const {
  try {
    point_to_folder(root_ / link, folder_name(update));
  } catch (const SystemError& error) {  // the checkpoint itself is there
    log::warning("{}: cannot be set to {}: {}", (root_ / link).string(), folder_name(update),
                 error.what());
  }
}

void Checkpointer::prune(const TrainingState& state) {
  const auto is_best = [&](std::int64_t update) {
    return state.has_best && update == state.best_update;
  };
  const std::size_t newest_from = kept_.size() > keep_ ? kept_.size() - keep_ : 0;
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    std::error_code failed;
    if (i < newest_from && !is_best(kept_[i])) {
      fs::remove_all(folder(kept_[i]), failed);
      if (failed)
        log::warning("{}: the old checkpoint cannot be removed: {}.", folder(kept_[i]).string(),
                     failed.message());
    } else {
      kept.push_back(kept_[i]);
    }
  }
  kept_ = std::move(kept);
}

}  // namespace diffuse
