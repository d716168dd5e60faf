#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/text/tokenizer.hpp"
#include "plain_words.hpp"
#include "string_table.hpp"
#include "text_parts.hpp"
#include "words.hpp"

namespace diffuse {
namespace {

/// Words that are not in the table, which other threads read, get the complement of an index of
/// their part's own table until all are done.
void split_part(std::span<const std::string_view> texts, bool lowercase, const StringTable& known,
                StringTable& added, std::span<std::int64_t> lengths,
                std::vector<std::int32_t>& ids) {
  const auto emit = [&](std::string_view word) {
    const std::int32_t index = known.find(word);
    ids.push_back(index != StringTable::kMissing ? index : ~added.insert(word).first);
  };
  PlainWordSplitter splitter(lowercase, emit);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t before = ids.size();
    splitter.split(texts[i]);
    lengths[i] = static_cast<std::int64_t>(ids.size() - before);
  }
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
  StringTable table;                 // the special tokens, then the words as they came
  std::vector<std::int64_t> counts;  // of each of the table
  std::vector<std::int32_t> ids;     // of each its provisional id, ascending
  std::int32_t first_found = 0;      // place in the table behind those of the words to keep
  std::int32_t next_id = 0;
  Forgotten forgotten;

  std::int32_t add(std::string_view word) {
    const auto [place, added] = table.insert(word);
    if (!added) return place;
    if (next_id == std::numeric_limits<std::int32_t>::max())
      throw DataError("the text has too many different words: expected fewer than 2^31");
    ids.push_back(next_id++);
    counts.push_back(0);
    return place;
  }

  /// Adds the words that a part found; returns their places.
  std::vector<std::int32_t> take(const StringTable& added) {
    std::vector<std::int32_t> places;
    places.reserve(static_cast<std::size_t>(added.size()));
    for (std::int32_t i = 0; i < added.size(); ++i) places.push_back(add(added.token(i)));
    return places;
  }

  /// Forgets the rarer half of the words where there are too many: all that are as rare as the one
  /// in the middle. Their ids are given to no other word.
  void forget_rare() {
    const std::int64_t found = table.size() - first_found;
    if (found <= config.counted_words) return;
    std::vector<std::int64_t> sorted(counts.begin() + first_found, counts.end());
    const auto middle = sorted.begin() + found / 2;
    std::nth_element(sorted.begin(), middle, sorted.end());
    const std::int64_t rare = *middle;
    sorted = {};
    StringTable others;
    std::size_t kept = 0;
    for (std::int32_t place = 0; place < table.size(); ++place) {
      const auto at = static_cast<std::size_t>(place);
      if (place >= first_found && counts[at] <= rare) continue;
      others.insert(table.token(place));
      counts[kept] = counts[at];
      ids[kept++] = ids[at];
    }
    table = std::move(others);
    counts.resize(kept);
    ids.resize(kept);
    ++forgotten.times;
    forgotten.error += rare;
  }
};

VocabularyBuilder::VocabularyBuilder(const TokenizerConfig& config)
    : impl_(std::make_unique<Impl>()) {
  impl_->config = config;
  // No word is "[UNK]": a bracket is a word of its own.
  for (const std::string_view special : kSpecialTokens) impl_->add(special);
  impl_->first_found = impl_->table.size();
}
VocabularyBuilder::~VocabularyBuilder() = default;
VocabularyBuilder::VocabularyBuilder(VocabularyBuilder&&) noexcept = default;
VocabularyBuilder& VocabularyBuilder::operator=(VocabularyBuilder&&) noexcept = default;

void VocabularyBuilder::keep(std::span<const std::string> words) {
  std::vector<std::string> parts;
  const auto emit = [&parts](std::string_view word) { parts.emplace_back(word); };
  PlainWordSplitter splitter(impl_->config.lowercase, emit);
  for (const std::string& word : words) {
    parts.clear();
    splitter.split(word);
    if (parts.size() == 1) impl_->add(parts.front());
  }
  impl_->first_found = impl_->table.size();
}

std::int32_t VocabularyBuilder::unknown_id() { return kUnknownId; }

void VocabularyBuilder::encode(std::span<const std::string_view> texts, std::int64_t max_tokens,
                               WorkerPool& pool, EncodedTexts& encoded,
                               const std::function<void()>& meanwhile) {
  encoded.start(texts.size());
  impl_->rows += static_cast<std::int64_t>(texts.size());
  std::vector<TextPart> parts = cut_into_parts(texts, pool.threads());
  std::vector<StringTable> added(parts.size());
  const auto split = [&](std::size_t index) {
    TextPart& part = parts[index];
    const std::size_t count = part.end - part.begin;
    split_part(texts.subspan(part.begin, count), impl_->config.lowercase, impl_->table,
               added[index], std::span(encoded.lengths).subspan(part.begin, count), part.ids);
  };
  run_parts(pool, parts.size(), split, meanwhile);

  for (std::size_t index = 0; index < parts.size(); ++index) {
    TextPart& part = parts[index];
    const std::vector<std::int32_t> to = impl_->take(added[index]);
    for (std::int32_t& id : part.ids) {
      const auto place = static_cast<std::size_t>(id < 0 ? to[static_cast<std::size_t>(~id)] : id);
      ++impl_->counts[place];
      id = impl_->ids[place];
    }
    auto from = part.ids.begin();
    for (std::size_t i = part.begin; i < part.end; ++i) {
      const std::int64_t length = encoded.lengths[i];
      const std::int64_t kept = max_tokens > 0 ? std::min(length, max_tokens) : length;
      encoded.ids.insert(encoded.ids.end(), from, from + kept);
      encoded.offsets[i + 1] = static_cast<std::int64_t>(encoded.ids.size());
      from += length;
    }
    part.ids = {};
    added[index] = {};
  }
  impl_->forget_rare();
}

VocabularyBuilder::Vocabulary VocabularyBuilder::build() const {
  const StringTable& table = impl_->table;
  const auto specials = static_cast<std::int32_t>(kSpecialTokens.size());
  const std::int64_t min_count = resolve_min_count(impl_->config, impl_->rows);
  const auto count_of = [&](std::int32_t place) {
    return impl_->counts[static_cast<std::size_t>(place)];
  };
  const auto is_found = [&](std::int32_t place) { return place >= impl_->first_found; };
  std::vector<std::int32_t> kept;
  for (std::int32_t place = specials; place < table.size(); ++place)
    if (!is_found(place) || count_of(place) >= min_count) kept.push_back(place);
  if (kept.empty()) {
    throw DataError(fmt::format(
        "no word comes {} times or more in the training texts ({} different words were seen), so "
        "the vocabulary would be empty; lower tokenizer.min_count or give more text",
        min_count, table.size() - specials));
  }
  std::sort(kept.begin(), kept.end(), [&](std::int32_t a, std::int32_t b) {
    return count_of(a) != count_of(b) ? count_of(a) > count_of(b) : table.token(a) < table.token(b);
  });
  if (const std::int64_t most = impl_->config.max_words; most > 0) {
    std::int64_t found = 0;
    std::erase_if(kept, [&](std::int32_t place) { return is_found(place) && ++found > most; });
  }
  std::size_t bytes = 0;
  for (const std::int32_t place : kept) bytes += table.token(place).size();
  Vocabulary made;
  made.forgotten = impl_->forgotten;
  made.final_ids.assign(static_cast<std::size_t>(impl_->next_id), kUnknownId);
  const auto final_id = [&](std::int32_t place) -> std::int32_t& {
    return made.final_ids[static_cast<std::size_t>(impl_->ids[static_cast<std::size_t>(place)])];
  };
  StringTable words;
  words.reserve(kept.size() + kSpecialTokens.size(), bytes + 32);
  for (std::int32_t place = 0; place < specials; ++place)
    final_id(place) = words.insert(kSpecialTokens[static_cast<std::size_t>(place)]).first;
  for (const std::int32_t place : kept) final_id(place) = words.insert(table.token(place)).first;
  made.tokenizer = std::make_unique<WordsTokenizer>(std::move(words), impl_->config.lowercase);
  return made;
}

}  // namespace diffuse
