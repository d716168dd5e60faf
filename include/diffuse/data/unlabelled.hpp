#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/data/dataset.hpp"
#include "diffuse/text/tokenizer.hpp"

namespace diffuse {

/// Files of texts without labels: CSV, TSV or JSONL by their names, with text columns as the config
/// says or as they are called, else a text a line. Blank lines of the latter are passed over; what
/// else is no text is an error, or left out with a warning, as `data.on_error` says.
class UnlabelledTexts {
 public:
  /// `threads` <= 0: all cores.
  UnlabelledTexts(std::vector<std::string> files, const DataConfig& data,
                  const TokenizerConfig& tokenizer, int threads);

  /// The words of all files that are seen often enough for a vocabulary (resolve_min_count by the
  /// number of their texts), most frequent first. Reads the files. Throws DataError naming file and
  /// line, or a file without a text.
  std::vector<std::string> words() const;

  /// Appends all texts as rows without a label, and logs how many, and what was left out. Reads the
  /// files. Throws as words() does.
  void append_to(EncodedDataset& data, const Tokenizer& tokenizer) const;

 private:
  template <class Take>
  void each_block(bool tell, const Take& take) const;

  std::vector<std::string> files_;
  DataConfig data_;
  TokenizerConfig tokenizer_;
  int threads_;
};

/// How often each word of the vocabulary is in the texts of `view`, [V]; 0 for what is no word of
/// theirs: unknown ones, [CLS] and the like.
std::vector<std::int64_t> count_words(const DatasetView& view, const Tokenizer& tokenizer);

}  // namespace diffuse
