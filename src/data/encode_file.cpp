#include "encode_file.hpp"

#include <algorithm>
#include <functional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "diffuse/base/hash.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/progress.hpp"
#include "diffuse/base/worker_pool.hpp"
#include "row_blocks.hpp"

namespace diffuse {
namespace {

/// See EncodedDataset::mark.
std::uint32_t mark_of(std::string_view text) {
  return static_cast<std::uint32_t>(hash64(text)) | 1U;
}

/// How rows become ids: `encode_batch` or VocabularyBuilder::encode.
using Encode = std::function<void(std::span<const std::string_view> texts, WorkerPool& pool,
                                  EncodedTexts& encoded, const std::function<void()>& meanwhile)>;

/// Appends the rows of `block`. Texts that hold a word for which `is_marked` is true get a mark.
template <class IsMarked>
void append_rows(const RowBlock& block, std::span<const std::string_view> texts,
                 const EncodedTexts& encoded, std::int32_t unknown, const IsMarked& is_marked,
                 CutTexts& cut, EncodedDataset& data) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::span<const std::int32_t> row(encoded.ids.data() + encoded.offsets[i],
                                      encoded.ids.data() + encoded.offsets[i + 1]);
    if (const std::int64_t unread = encoded.lengths[i] - std::ssize(row); unread > 0) {
      ++cut.rows;
      cut.tokens += encoded.lengths[i];
      cut.unread_tokens += unread;
    }
    if (row.empty()) row = {&unknown, 1};
    data.append(row, block.targets.at(i, block.labels[i]), block.lines[i],
                is_marked(row) ? mark_of(texts[i]) : 0);
  }
}

void append_ngrams(const NgramEncoders& encoders, std::span<const std::string_view> texts,
                   WorkerPool& pool, NgramRows& rows) {
  NgramTexts encoded;
  if (encoders.builder != nullptr)
    encoders.builder->encode(texts, pool, encoded);
  else if (encoders.vocabulary != nullptr)
    encoders.vocabulary->encode(texts, pool, encoded);
  rows.append(encoded);
}

template <class IsMarked>
std::unique_ptr<EncodedDataset> encode_rows(const FileOptions& options, LabelResolver& labels,
                                            FileFindings* findings, std::int32_t unknown,
                                            WorkerPool& pool, const Encode& encode,
                                            const IsMarked& is_marked) {
  FileFindings unused;
  auto data = std::make_unique<EncodedDataset>(options.rows_folder);
  CutTexts cut;
  RowBlocks rows(options, labels);
  RowBlock block;
  RowBlock next;
  EncodedTexts encoded;
  for (rows.read(block); !block.empty(); std::swap(block, next)) {
    const std::vector<std::string_view> texts = block.texts();
    encode(texts, pool, encoded, [&] { rows.read(next); });
    append_rows(block, texts, encoded, unknown, is_marked, cut, *data);
    append_ngrams(options.ngrams, texts, pool, data->ngrams());
  }
  rows.finish(findings == nullptr ? unused : *findings);
  data->set_skipped_rows(rows.take_missing(), rows.bad_rows());
  data->set_cut_texts(cut);
  return data;
}

}  // namespace

void tell_forgotten(const FileOptions& options, const CountedKind& kind, std::int64_t counted,
                    const Forgotten& forgotten) {
  if (forgotten.times == 0 || options.quiet) return;
  log::info(
      "{}: it has more than {} different {}s; the rarer half was forgotten {} time{} on the way, "
      "so {}'s count may be too low, by {} at most ({})",
      options.name, format_count(counted), kind.name, forgotten.times,
      forgotten.times == 1 ? "" : "s", kind.one, format_count(forgotten.error), kind.key);
}

std::unique_ptr<EncodedDataset> encode_file(const FileOptions& options, const Tokenizer& tokenizer,
                                            LabelResolver& labels, FileFindings* findings) {
  WorkerPool pool(options.threads);
  const std::int32_t unknown = tokenizer.unknown_id();
  return encode_rows(
      options, labels, findings, unknown, pool,
      [&](auto texts, WorkerPool& workers, EncodedTexts& encoded, const auto& meanwhile) {
        encode_batch(tokenizer, texts, options.max_tokens, workers, encoded, meanwhile);
      },
      [&](auto row) { return std::find(row.begin(), row.end(), unknown) != row.end(); });
}

EncodedTraining encode_training_file(const FileOptions& options, const TokenizerConfig& tokenizer,
                                     LabelResolver& labels, FileFindings* findings,
                                     std::span<const std::string> words) {
  WorkerPool pool(options.threads);
  VocabularyBuilder builder(tokenizer);
  builder.keep(words);
  EncodedTraining made;
  // Which words will not be in the vocabulary is known at the end: map_tokens takes the marks of
  // the others away.
  made.data = encode_rows(
      options, labels, findings, VocabularyBuilder::unknown_id(), pool,
      [&](auto texts, WorkerPool& workers, EncodedTexts& encoded, const auto& meanwhile) {
        builder.encode(texts, options.max_tokens, workers, encoded, meanwhile);
      },
      [](auto) { return true; });
  VocabularyBuilder::Vocabulary vocabulary = builder.build();
  made.tokenizer = std::move(vocabulary.tokenizer);
  tell_forgotten(options, {"word", "a word", "tokenizer.counted_words"}, tokenizer.counted_words,
                 vocabulary.forgotten);
  builder = VocabularyBuilder(tokenizer);  // its words have been copied
  made.data->map_tokens(vocabulary.final_ids, made.tokenizer->unknown_id(), pool);
  return made;
}

}  // namespace diffuse
