#pragma once

#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "model_options.hpp"

namespace diffuse::cli {

/// How `eval` and `predict` read a file otherwise than the training data was read.
struct DataOptions {
  std::vector<std::string> set;  ///< "data.label_column=stars"

  bool sets(const std::string& key) const;
};

/// Declares --set for the keys of `data` that say how a file is read.
void add_data_options(CLI::App& verb, DataOptions& options);

/// How a file beside the training data is read: by the layout that the checkpoint holds, with what
/// `options` say laid over it; without a layout, an old checkpoint, by the model's config. Throws
/// UsageError for another key, ConfigError for a value that is not allowed.
DataConfig other_data_config(const OpenedModel& opened, const DataOptions& options);

/// The layout of the training data; null in an old checkpoint.
const RecordLayout* training_layout(const OpenedModel& opened);

}  // namespace diffuse::cli
