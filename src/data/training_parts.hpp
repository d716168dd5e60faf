#pragma once

#include <cstdint>
#include <string>

#include "diffuse/data/dataset.hpp"
#include "diffuse/data/loading.hpp"
#include "split.hpp"

namespace diffuse {

/// Throws DataError for classes that could not be told from what predict and eval write in an
/// answer's place.
void check_reserved_names(const Labels& labels, const std::string& path);

/// Throws DataError for those, for classes that nothing can be learnt from, and warns of odd ones.
/// `named`: the classes come from a file of names. `separator`: data.label_separator, which no name
/// may hold.
void check_classes(const EncodedDataset& data, const Labels& labels, const std::string& path,
                   bool named, const std::string& separator = "");

/// Splits validation rows off by `data.validation_fraction`; by itself as docs/data.md says,
/// "Validation". `told`: it is known already that there are none.
RowSplit split_off_validation(const EncodedDataset& data, double fraction, std::int64_t seed,
                              bool told = false);

/// Counts what of the loaded data is not used, and texts that occur twice. `test_name`: how
/// messages call the test rows.
DataSummary summarize_all(const TrainingData& loaded, const TokenizerConfig& tokenizer,
                          const char* test_name);

}  // namespace diffuse
