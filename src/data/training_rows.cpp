#include "diffuse/data/training_rows.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "cache.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/data/byte_source.hpp"
#include "diffuse/data/row_parts.hpp"
#include "encode_file.hpp"
#include "equal_texts.hpp"
#include "label_resolver.hpp"
#include "training_parts.hpp"

namespace diffuse {
namespace {

/// Whether the texts of `data` are those that the model keeps hashes of, where it does.
bool has_texts(const EncodedDataset& data, std::span<const std::uint64_t> texts) {
  return texts.empty() || std::ranges::equal(different_texts(data), texts);
}

}  // namespace

TrainingRows read_training_rows(const ModelReading& model, const DataConfig& data,
                                std::int64_t seed, int threads) {
  const std::vector<std::string> files = find_files(data.train, "data.train");
  for (const std::string& path : files) check_data_file(path, "data.train");
  check_read_again(data.train);
  std::optional<RowParts> parts;
  if (data.test_fraction > 0)
    parts = split_off_test(read_labelled_rows(data), data.test_fraction, seed);
  FileOptions file{files.front(),
                   "data.train",
                   data,
                   data.max_rows,
                   model.tokenizer_config.cut_at(),
                   threads > 0 ? threads : available_cores()};
  file.more.assign(files.begin() + 1, files.end());
  file.rows_folder = cache_folder(data);
  file.ngrams.vocabulary = model.ngrams;
  file.rows = parts ? &parts->train : nullptr;
  file.quiet = true;  // training has told of it
  LabelResolver labels(model.labels, !data.labels.empty(), data.label_base);
  TrainingRows rows;
  rows.file = encode_file(file, model.tokenizer, labels);
  rows.file->choose_rarest_labels(model.labels.size());
  if (data.validation.empty()) {
    RowSplit split =
        split_off_validation(*rows.file, data.validation_fraction, seed, /*told=*/true);
    rows.train = std::move(split.train);
    rows.validation = std::move(split.validation);
  } else {
    rows.train = view_all(*rows.file);
  }
  if (count_classes(rows.train, model.labels.size()) != model.facts.class_rows ||
      !has_texts(*rows.file, model.texts))
    throw DataError(fmt::format(
        "{}: these are not the rows that the model was trained on: the file has changed since, or "
        "it is a model of `train --folds`, which knows a part of them; expected the file as it was",
        data.train.text()));
  return rows;
}

}  // namespace diffuse
