#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "diffuse/data/dataset.hpp"
#include "diffuse/data/summary.hpp"

namespace diffuse {

/// A number for each row of `data`, the same for rows whose texts are the same to the model: equal
/// ids and, where a word is not in the vocabulary, equal characters.
std::vector<std::uint64_t> text_keys(const EncodedDataset& data);

/// Row numbers by text: rows of equal texts stand side by side, each group in file order.
std::vector<std::uint32_t> rows_by_text(std::span<const std::uint64_t> keys);

/// The keys of the texts of `data`, each once, ascending.
std::vector<std::uint64_t> different_texts(const EncodedDataset& data);

/// Texts of `data` that have more than one label.
AmbiguousTexts ambiguous_texts(const EncodedDataset& data);

/// Rows of `view` whose text is also one of `others`, and those of them whose label it has not
/// there.
struct SharedTexts {
  std::int64_t rows = 0;
  std::int64_t relabelled = 0;
};
SharedTexts count_shared_texts(const DatasetView& view, const DatasetView& others);

}  // namespace diffuse
