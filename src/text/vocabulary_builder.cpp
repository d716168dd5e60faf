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

struct VocabularyBuilder::Impl {
  bool lowercase = true;
  std::int64_t min_count = 1;
  WordCounts counts;
};

VocabularyBuilder::VocabularyBuilder(const TokenizerConfig& config)
    : impl_(std::make_unique<Impl>()) {
  impl_->lowercase = config.lowercase;
  impl_->min_count = config.min_count == 0 ? 2 : config.min_count;
}
VocabularyBuilder::~VocabularyBuilder() = default;
VocabularyBuilder::VocabularyBuilder(VocabularyBuilder&&) noexcept = default;
VocabularyBuilder& VocabularyBuilder::operator=(VocabularyBuilder&&) noexcept = default;

void VocabularyBuilder::add(std::span<const std::string> texts, int threads) {
  if (threads <= 1) {
    count_words(texts, impl_->lowercase, impl_->counts);
    return;
  }
  std::mutex mutex;
  parallel_for(texts.size(), threads, [&](std::size_t begin, std::size_t end) {
    WordCounts own;
    count_words(texts.subspan(begin, end - begin), impl_->lowercase, own);
    const std::lock_guard lock(mutex);
    for (std::int32_t i = 0; i < own.table.size(); ++i) {
      impl_->counts.add(own.table.token(i), own.counts[static_cast<std::size_t>(i)]);
    }
  });
}

std::unique_ptr<Tokenizer> VocabularyBuilder::build() const {
  const WordCounts& counts = impl_->counts;
  std::vector<std::pair<std::int64_t, std::string_view>> kept;
  for (std::int32_t i = 0; i < counts.table.size(); ++i) {
    const std::int64_t count = counts.counts[static_cast<std::size_t>(i)];
    if (count >= impl_->min_count) kept.emplace_back(count, counts.table.token(i));
  }
  if (kept.empty()) {
    throw DataError(fmt::format(
        "no word comes {} times or more in the training texts ({} different words were seen), so "
        "the vocabulary would be empty; lower tokenizer.min_count or give more text",
        impl_->min_count, counts.table.size()));
  }
  std::sort(kept.begin(), kept.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  std::vector<std::string> words;
  words.reserve(kept.size());
  for (const auto& entry : kept) words.emplace_back(entry.second);
  return std::make_unique<WordsTokenizer>(words, impl_->lowercase);
}

}  // namespace diffuse
