#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "diffuse/data/loading.hpp"

namespace diffuse {

/// Throws DataError for classes that could not be told from what predict and eval write in an
/// answer's place.
void check_reserved_names(const Labels& labels, const std::string& path);

/// Throws DataError for those, for classes that nothing can be learnt from, and warns of odd ones.
/// `named`: the classes come from a file of names. `separator`: data.label_separator, which no name
/// may hold.
void check_classes(const EncodedDataset& data, const Labels& labels, const std::string& path,
                   bool named, const std::string& separator = "");

/// Which rows validate by `data.validation_fraction`, `fraction`, by the rule of split_stratified;
/// by itself (-1) as docs/data.md says, "Validation". `told`: it is known already that there are
/// none.
std::vector<bool> validation_rows(std::span<const std::int32_t> labels,
                                  std::span<const std::uint64_t> texts, double fraction,
                                  std::int64_t seed, bool told = false);

/// The two parts of a data set, each in file order.
struct RowSplit {
  DatasetView train;
  DatasetView validation;
};
/// The same of a data set, as its two parts.
RowSplit split_off_validation(const EncodedDataset& data, double fraction, std::int64_t seed,
                              bool told = false);

/// Counts what of the loaded data is not used, and texts that occur twice. `test_name`: how
/// messages call the test rows.
DataSummary summarize_all(const TrainingData& loaded, const TokenizerConfig& tokenizer,
                          const char* test_name);

}  // namespace diffuse
