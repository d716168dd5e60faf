#include <fmt/core.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/parallel.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "plain_words.hpp"
#include "token_table.hpp"
#include "words.hpp"

namespace diffuse {

struct WordCounts {
  TokenTable table;
  std::vector<std::int64_t> counts;  // by index in `table`

  void add(std::string_view word, std::int64_t count) {
    const auto [index, added] = table.insert(word);
    if (added) {
      counts.push_back(count);
    } else {
      counts[static_cast<std::size_t>(index)] += count;
    }
  }
};

namespace {

void count_words(std::span<const std::string> texts, bool lowercase, WordCounts& counts) {
  const auto emit = [&counts](std::string_view word) { counts.add(word, 1); };
  PlainWordSplitter splitter(lowercase, emit);
  for (const std::string& text : texts) splitter.split(text);
}

}  // namespace

std::int64_t resolve_min_count(const TokenizerConfig& config, std::int64_t rows) {
  constexpr std::int64_t kFewRows = 100;
  if (config.min_count > 0) return config.min_count;
  return rows < kFewRows ? 1 : 2;
}

struct VocabularyBuilder::Impl {
  TokenizerConfig config;
  std::int64_t rows = 0;
  WordCounts counts;
};

VocabularyBuilder::VocabularyBuilder(const TokenizerConfig& config)
    : impl_(std::make_unique<Impl>()) {
  impl_->config = config;
}
VocabularyBuilder::~VocabularyBuilder() = default;
VocabularyBuilder::VocabularyBuilder(VocabularyBuilder&&) noexcept = default;
VocabularyBuilder& VocabularyBuilder::operator=(VocabularyBuilder&&) noexcept = default;

void VocabularyBuilder::add(std::span<const std::string> texts, int threads) {
  const bool lowercase = impl_->config.lowercase;
  impl_->rows += static_cast<std::int64_t>(texts.size());
  if (threads <= 1) {
    count_words(texts, lowercase, impl_->counts);
    return;
  }
  std::mutex mutex;
  parallel_for(texts.size(), threads, [&](std::size_t begin, std::size_t end) {
    WordCounts own;
    count_words(texts.subspan(begin, end - begin), lowercase, own);
    const std::lock_guard lock(mutex);
    for (std::int32_t i = 0; i < own.table.size(); ++i) {
      impl_->counts.add(own.table.token(i), own.counts[static_cast<std::size_t>(i)]);
    }
  });
}

std::unique_ptr<Tokenizer> VocabularyBuilder::build() const {
  const WordCounts& counts = impl_->counts;
  const std::int64_t min_count = resolve_min_count(impl_->config, impl_->rows);
  std::vector<std::pair<std::int64_t, std::string_view>> kept;
  for (std::int32_t i = 0; i < counts.table.size(); ++i) {
    const std::int64_t count = counts.counts[static_cast<std::size_t>(i)];
    if (count >= min_count) kept.emplace_back(count, counts.table.token(i));
  }
  if (kept.empty()) {
    throw DataError(fmt::format(
        "no word comes {} times or more in the training texts ({} different words were seen), so "
        "the vocabulary would be empty; lower tokenizer.min_count or give more text",
        min_count, counts.table.size()));
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::string> words;
  words.reserve(kept.size());
  for (const auto& entry : kept) words.emplace_back(entry.second);
  return std::make_unique<WordsTokenizer>(words, impl_->config.lowercase);
}

}  // namespace diffuse
