// What an Updater keeps in a checkpoint, and takes up again.

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <fmt/core.h>

#include <algorithm>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/safetensors.hpp"
#include "updater.hpp"

namespace diffuse {
namespace {

constexpr const char* kGenerator = "generator";

}  // namespace

/// Goes on with dense updates where those of touched rows have come.
void Updater::make_dense() {
  log::info(
      "The checkpoint was made with another kernel's updates of touched rows: the run will not be "
      "the same to the bit.");
  for (RowAdamW& rows : tables_) rows.finish();
  const std::vector<RowAdamW> tables = std::move(tables_);
  const auto before = other_tensors();
  const std::optional<WeightAverage> averages = std::move(average_);
  touched_ = false;
  share_parameters();
  for (const auto& [name, to] : optimizer_->state()) {
    for (const RowAdamW& rows : tables) {
      if (name == "exp_avg." + rows.name()) to.copy_(rows.moment1());
      if (name == "exp_avg_sq." + rows.name()) to.copy_(rows.moment2());
    }
    for (const auto& [from_name, from] : before)
      if (from_name == name) to.copy_(from);
    // Each group counts its updates; the embeddings' had none before.
    if (name == "step.embedding")
      for (const auto& [from_name, from] : before)
        if (from_name.starts_with("step.")) to.copy_(from);
  }
  if (rows_) rows_->resume();
  if (!averages) return;
  std::size_t dense = 0;
  std::size_t table = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    average_->values()[i].copy_(parameters_[i].role == ParameterRole::embedding
                                    ? tables[table++].average()
                                    : averages->values()[dense++]);
}

std::vector<at::Tensor> Updater::model_tensors() {
  settle();
  std::vector<at::Tensor> tensors;
  std::size_t dense = 0;
  for (const NamedParameter& parameter : parameters_) {
    if (is_touched(parameter))
      tensors.emplace_back();
    else if (!average_)
      tensors.push_back(parameter.tensor.detach());
    else
      tensors.push_back(average_->values()[dense++]);
  }
  return tensors;
}

std::vector<RowSource> Updater::settled_rows() const {
  std::vector<RowSource> sources;
  for (const RowAdamW& rows : tables_)
    sources.emplace_back(
        [&rows](std::int64_t begin, std::int64_t end, float* to) { rows.settle(begin, end, to); });
  return sources;
}

std::vector<std::pair<std::string, at::Tensor>> Updater::training_tensors() {
  settle();
  std::vector<std::pair<std::string, at::Tensor>> named = other_tensors();
  for (const RowAdamW& rows : tables_)
    for (auto& entry : rows.state()) named.push_back(std::move(entry));
  return named;
}

std::vector<std::pair<std::string, at::Tensor>> Updater::other_tensors() const {
  std::vector<std::pair<std::string, at::Tensor>> named = optimizer_->state();
  for (const NamedParameter& parameter : parameters_) {
    // The model's rows are as of the last update, these as of each one's own.
    if (average_ || is_touched(parameter))
      named.emplace_back("raw." + parameter.name, parameter.tensor.detach());
  }
  if (scaler_) {
    for (auto& entry : scaler_->state()) named.push_back(std::move(entry));
  }
  named.emplace_back(kGenerator, generator_.get_state());
  return named;
}

void Updater::restore(const std::filesystem::path& folder, std::int64_t update) {
  const std::filesystem::path path = folder / "optimizer.safetensors";
  const SafetensorsFile file = SafetensorsFile::read(path);
  const bool wanted = touched_;
  const bool was_touched =
      std::any_of(file.tensors().begin(), file.tensors().end(),
                  [](const auto& entry) { return entry.first.starts_with("last_update."); });
  if (was_touched != touched_) {
    touched_ = was_touched;
    share_parameters();
    if (wanted)
      log::info("The checkpoint was made with dense updates of the embedding: so the run goes on.");
  }
  const std::vector<at::Tensor> model = model_tensors();
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    weights.emplace_back(parameters_[i].name,
                         model[i].defined() ? model[i] : at::empty_like(parameters_[i].tensor));
  load_tensors(folder / "model.safetensors", weights);

  std::vector<std::pair<std::string, at::Tensor>> state = other_tensors();
  at::Tensor random = state.back().second;
  const auto stored = file.tensors().find(kGenerator);
  const bool same_random =
      stored != file.tensors().end() && random.sizes() == at::IntArrayRef(stored->second.shape);
  if (!same_random && stored != file.tensors().end()) {
    log::warning(
        "The random numbers of another kind of device cannot be gone on with: they start anew, and "
        "the run will not be the same to the bit.");
    state.back().second = at::empty(stored->second.shape, at::kByte);
  }
  const bool stored_scale = file.tensors().contains("scaler.scale");
  if (stored_scale != scaler_.has_value()) {
    log::warning(
        "The checkpoint was made in another precision: the run will not be the same to the bit.");
    std::erase_if(state, [](const auto& entry) { return entry.first.starts_with("scaler."); });
    if (stored_scale) {
      state.emplace_back("scaler.scale", at::empty({1}, at::kFloat));
      state.emplace_back("scaler.good_updates", at::empty({1}, at::kInt));
    }
  }
  std::vector<RowAdamW::NamedTensors> states;
  for (const RowAdamW& rows : tables_) {
    // Before memory is taken for as many updates as state.json has.
    const auto decay = file.tensors().find("decay." + rows.name());
    if (decay == file.tensors().end() ||
        decay->second.shape != std::vector<std::int64_t>{update + 1})
      throw CheckpointError(fmt::format(
          "'{}' does not belong to update {}, at which state.json stands.", path.string(), update));
    states.push_back(rows.state_of(update));
    state.insert(state.end(), states.back().begin(), states.back().end());
  }
  load_tensors(path, state);
  if (rows_) rows_->resume();
  for (std::size_t table = 0; table < tables_.size(); ++table)
    tables_[table].resume(update, states[table]);
  if (was_touched && !wanted) make_dense();
  if (same_random) generator_.set_state(random);
}

}  // namespace diffuse
