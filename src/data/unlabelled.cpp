#include "diffuse/data/unlabelled.hpp"

#include <fmt/core.h>

#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "diffuse/data/records.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kShownBadTexts = 5;

std::string counted_things(std::int64_t count, std::string_view one) {
  return fmt::format("{} {}{}", format_count(count), one, count == 1 ? "" : "s");
}

/// The texts of one file, a block at a time.
class TextBlocks {
 public:
  TextBlocks(const std::string& path, const DataConfig& data) : path_(path), data_(data) {
    const FileFormat format = format_of_name(path);
    if (format == FileFormat::pixels)
      throw DataError(
          fmt::format("{}: rows of pixels by its name, which are no texts; expected one a line, or "
                      "CSV, TSV or JSONL by its name (pretrain.texts)",
                      path));
    lines_ = format == FileFormat::automatic;
    if (lines_) {
      reader_ = open_text_lines({path});
      return;
    }
    data_.format = FileFormat::automatic;
    ReadOptions reading;
    reading.need_label = false;
    reading.own_settings = false;
    reader_ = open_records({path}, data_, reading);
  }

  /// False at the end of the file.
  bool read() {
    constexpr std::size_t kBytes = std::size_t{4} << 20;
    bytes_.clear();
    ends_.clear();
    while (bytes_.size() < kBytes) {
      const ReadStatus status = reader_->next(example_, bad_);
      if (status == ReadStatus::end) break;
      if (status == ReadStatus::bad) {
        leave_out();
        continue;
      }
      bytes_ += example_.text;
      ends_.push_back(bytes_.size());
      ++texts_;
    }
    return !ends_.empty();
  }

  std::vector<std::string_view> texts() const {
    std::vector<std::string_view> texts;
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      texts.emplace_back(bytes_.data() + begin, end - begin);
      begin = end;
    }
    return texts;
  }

  /// At the end.
  void check_any() const {
    if (texts_ > 0) return;
    const std::string bad =
        first_bad_.empty() ? ""
                           : fmt::format(", but {}, the first one {}",
                                         counted_things(bad_rows_, "bad row"), first_bad_.front());
    throw DataError(
        fmt::format("{}: there is no text in it{}; expected one a line, or CSV, TSV or JSONL by "
                    "its name",
                    path_, bad));
  }
  std::string description() const {
    std::string text = fmt::format("{}: {} without labels", path_, counted_things(texts_, "text"));
    if (blank_lines_ > 0)
      text += fmt::format(", {} left out", counted_things(blank_lines_, "blank line"));
    if (bad_rows_ > 0) text += fmt::format(", {} left out", counted_things(bad_rows_, "bad row"));
    return text;
  }
  void warn_of_bad_rows() const {
    if (bad_rows_ == 0) return;
    for (const std::string& message : first_bad_)
      log::warning("pretrain.texts: row left out: {}", message);
    log::warning("pretrain.texts: {}: {} left out (data.on_error is \"skip\"){}", path_,
                 counted_things(bad_rows_, "bad row"),
                 first_bad_.size() < static_cast<std::size_t>(bad_rows_)
                     ? "; the first five are above"
                     : "");
  }

 private:
  void leave_out() {
    // In the words of make_example: a blank line is no text, anything else may be one that is lost.
    if (lines_ && bad_.problem == "empty text") {
      ++blank_lines_;
      return;
    }
    std::string message =
        fmt::format("{}:{}: {}; expected {}", path_, bad_.line, bad_.problem, bad_.expected);
    if (data_.on_error == OnError::error)
      throw DataError(message + " (--set data.on_error=skip leaves it out)");
    if (first_bad_.size() < kShownBadTexts) first_bad_.push_back(std::move(message));
    ++bad_rows_;
  }

  std::string path_;
  DataConfig data_;
  bool lines_ = false;
  std::unique_ptr<RecordReader> reader_;
  Example example_;
  BadRow bad_;
  std::string bytes_;
  std::vector<std::size_t> ends_;
  std::int64_t texts_ = 0;
  std::int64_t blank_lines_ = 0;
  std::int64_t bad_rows_ = 0;
  std::vector<std::string> first_bad_;  // in words
};

}  // namespace

UnlabelledTexts::UnlabelledTexts(std::vector<std::string> files, const DataConfig& data,
                                 const TokenizerConfig& tokenizer, int threads)
    : files_(std::move(files)),
      data_(data),
      tokenizer_(tokenizer),
      threads_(threads > 0 ? threads : available_cores()) {}

/// `take(texts, pool)` for each block of every file. `tell`: what was left out is warned of, which
/// one of several readings does.
template <class Take>
void UnlabelledTexts::each_block(bool tell, const Take& take) const {
  WorkerPool pool(threads_);
  for (const std::string& file : files_) {
    TextBlocks blocks(file, data_);
    while (blocks.read()) take(blocks.texts(), pool);
    blocks.check_any();
    if (tell) blocks.warn_of_bad_rows();
    log::debug("{}", blocks.description());
  }
}

std::vector<std::string> UnlabelledTexts::words() const {
  std::vector<std::string> words;
  if (files_.empty() || tokenizer_.type != TokenizerType::words) return words;
  VocabularyBuilder builder(tokenizer_);
  EncodedTexts encoded;
  each_block(false, [&](const std::vector<std::string_view>& texts, WorkerPool& pool) {
    builder.encode(texts, tokenizer_.cut_at(), pool, encoded);
  });
  std::istringstream lines(builder.build().tokenizer->vocab_text());
  for (std::string line; std::getline(lines, line);) words.push_back(line);
  return words;
}

void UnlabelledTexts::append_to(EncodedDataset& data, const Tokenizer& tokenizer) const {
  const std::int32_t unknown = tokenizer.unknown_id();
  EncodedTexts encoded;
  std::uint32_t number = 0;
  each_block(true, [&](const std::vector<std::string_view>& texts, WorkerPool& pool) {
    encode_batch(tokenizer, texts, tokenizer_.cut_at(), pool, encoded);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      std::span<const std::int32_t> row(encoded.ids.data() + encoded.offsets[i],
                                        encoded.ids.data() + encoded.offsets[i + 1]);
      if (row.empty()) row = {&unknown, 1};
      data.append(row, -1, ++number);
    }
  });
}

std::vector<std::int64_t> count_words(const DatasetView& view, const Tokenizer& tokenizer) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(tokenizer.vocab_size()));
  std::vector<std::int32_t> ids;
  for (const std::uint32_t row : view.rows)
    for (const std::int32_t id : view.data->tokens(row, ids))
      ++counts[static_cast<std::size_t>(id)];
  ids = {tokenizer.unknown_id(), tokenizer.mask_id(), tokenizer.pad_id()};
  tokenizer.encode("", 0, ids);  // what stands round every text
  for (const std::int32_t id : ids) counts[static_cast<std::size_t>(id)] = 0;
  return counts;
}

}  // namespace diffuse
