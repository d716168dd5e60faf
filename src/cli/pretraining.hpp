#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/train/trainer.hpp"
#include "prepared_run.hpp"

namespace diffuse::cli {

/// Folder of a run's pretraining in its own, with the same content but for tests.
inline constexpr const char* kPretrainingFolder = "pretraining";

/// Learns from the run's training texts and those of `pretrain.texts` for `train.pretrain`, into
/// `folder`, or goes on there. Appends rows without labels to `run.data.train_file`. Throws as
/// train does.
TrainingResult pretrain(PreparedRun& run, const std::filesystem::path& folder);

/// Lays the weights of `checkpoint` over those of the model of `run`, and tells what it took.
void begin_with(Classifier& classifier, const PreparedRun& run,
                const std::filesystem::path& checkpoint);

/// Words that the vocabulary of a run must have beside those of its training texts: those of
/// `pretrain.texts` and of `train.init`.
std::vector<std::string> words_to_pretrain(const Config& config);

}  // namespace diffuse::cli
