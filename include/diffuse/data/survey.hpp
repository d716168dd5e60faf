#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// What a look at a training file found, before anything of it is decided.
struct DataSurvey {
  std::int64_t rows = 0;                    ///< usable ones
  std::int64_t text_bytes = 0;              ///< of all of them
  std::vector<std::string> class_names;     ///< as they come
  std::vector<std::string> sample_texts;    ///< evenly from the whole file
  std::vector<std::int32_t> sample_labels;  ///< of these, places in `class_names`; -1: none
  /// With data.label_separator all labels of each of these; else empty.
  std::vector<std::vector<std::int32_t>> sample_label_lists;
};

/// Reads the file, or all of several, once, as training will, and keeps every row of at most
/// `most_rows` and `most_bytes` of text, or every second, fourth, … of more. Bad rows are passed
/// over: whoever reads the file in earnest tells of them. `rows`: which of all records it is about
/// (RowParts); null: all. Throws DataError as reading does.
DataSurvey survey_training_file(const InputFiles& files, const DataConfig& data,
                                std::size_t most_rows, std::size_t most_bytes,
                                const std::vector<bool>* rows = nullptr);

}  // namespace diffuse
