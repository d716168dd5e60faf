#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/text/ngrams.hpp"
#include "hash_index.hpp"
#include "ngram_parts.hpp"

namespace diffuse {
namespace {

/// Tables that the n-grams are dealt out to by hash, so that threads can count at the same time and
/// every n-gram has the same provisional number with any number of them.
constexpr std::size_t kShards = 64;

std::size_t shard_of(std::uint64_t hash) { return hash % kShards; }

struct Candidate {
  std::uint64_t hash = 0;
  std::int32_t texts = 0;
  std::int32_t provisional = 0;
};

}  // namespace

struct NgramVocabularyBuilder::Implementation {
  struct Shard {
    HashIndex index;
    std::vector<std::int32_t> texts;  // that have each n-gram
  };

  NgramConfig config;
  bool lowercase;
  NgramReader reader;
  std::int64_t rows = 0;
  std::array<Shard, kShards> shards{};

  /// Numbers what falls to `worker` of `workers`.
  void count(const std::vector<HashedPart>& parts, std::vector<std::vector<std::int32_t>>& ids,
             std::size_t worker, std::size_t workers) {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      for (std::size_t i = 0; i < parts[p].hashes.size(); ++i) {
        const std::uint64_t hash = parts[p].hashes[i];
        const std::size_t number = shard_of(hash);
        if (number % workers != worker) continue;
        Shard& shard = shards[number];
        const auto [index, added] = shard.index.insert(hash);
        if (added) shard.texts.push_back(0);
        ++shard.texts[static_cast<std::size_t>(index)];
        ids[p][i] = index * static_cast<std::int32_t>(kShards) + static_cast<std::int32_t>(number);
      }
    }
  }

  std::int64_t least() const {
    constexpr std::int64_t kManyRows = 10'000;
    if (config.min_count > 0) return config.min_count;
    return rows < kManyRows ? 1 : 2;
  }
};

NgramVocabularyBuilder::NgramVocabularyBuilder(const NgramConfig& config, bool lowercase)
    : self_(std::make_unique<Implementation>(config, lowercase, NgramReader(config, lowercase))) {}
NgramVocabularyBuilder::~NgramVocabularyBuilder() = default;
NgramVocabularyBuilder::NgramVocabularyBuilder(NgramVocabularyBuilder&&) noexcept = default;
NgramVocabularyBuilder& NgramVocabularyBuilder::operator=(NgramVocabularyBuilder&&) noexcept =
    default;

void NgramVocabularyBuilder::encode(std::span<const std::string_view> texts, WorkerPool& pool,
                                    NgramTexts& encoded, const std::function<void()>& meanwhile) {
  self_->rows += std::ssize(texts);
  std::vector<HashedPart> parts;
  for (const TextPart& part : cut_into_parts(texts, pool.threads()))
    parts.push_back({part, {}, {}, {}});
  run_parts(
      pool, parts.size(), [&](std::size_t index) { hash_part(self_->reader, texts, parts[index]); },
      meanwhile);
  std::vector<std::vector<std::int32_t>> ids;
  for (const HashedPart& part : parts) ids.emplace_back(part.hashes.size());
  const auto workers = static_cast<std::size_t>(pool.threads());
  pool.run(pool.threads(), [&](std::int64_t worker, std::int64_t) {
    self_->count(parts, ids, static_cast<std::size_t>(worker), workers);
  });
  for (const auto& shard : self_->shards) {
    if (shard.index.size() >
        std::numeric_limits<std::int32_t>::max() / static_cast<std::int32_t>(kShards) - 1)
      throw DataError(
          "The training texts have more different n-grams than can be counted (2 billion); lower "
          "ngrams.max or ngrams.char_max.");
  }
  encoded.values.clear();
  encoded.offsets.assign(1, 0);
  for (std::size_t p = 0; p < parts.size(); ++p) {
    std::size_t at = 0;
    for (const std::size_t end : parts[p].ends) {
      for (; at < end; ++at) encoded.values.push_back({ids[p][at], parts[p].counts[at]});
      encoded.offsets.push_back(std::ssize(encoded.values));
    }
  }
}

NgramVocabularyBuilder::Vocabulary NgramVocabularyBuilder::build() const {
  std::vector<Candidate> candidates;
  std::size_t provisional = 0;
  const std::int64_t least = self_->least();
  for (std::size_t s = 0; s < kShards; ++s) {
    const auto& shard = self_->shards[s];
    provisional = std::max(provisional, static_cast<std::size_t>(shard.index.size()) * kShards);
    shard.index.each([&](std::uint64_t hash, std::int32_t index) {
      const std::int32_t texts = shard.texts[static_cast<std::size_t>(index)];
      if (texts >= least)
        candidates.push_back(
            {hash, texts,
             index * static_cast<std::int32_t>(kShards) + static_cast<std::int32_t>(s)});
    });
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.texts != b.texts ? a.texts > b.texts : a.hash < b.hash;
  });
  // Those beyond the bound share a quarter of it.
  const auto bound = static_cast<std::size_t>(self_->config.max_features);
  const std::size_t buckets = candidates.size() > bound ? std::max<std::size_t>(bound / 4, 1) : 0;
  if (buckets > 0) candidates.resize(bound - buckets);

  std::vector<std::uint64_t> hashes;
  hashes.reserve(candidates.size());
  for (const Candidate& candidate : candidates) hashes.push_back(candidate.hash);
  std::vector<std::int32_t> to(provisional, -1);
  if (buckets == 0) {
    for (std::size_t i = 0; i < candidates.size(); ++i)
      to[static_cast<std::size_t>(candidates[i].provisional)] = static_cast<std::int32_t>(i);
  }
  NgramVocabulary vocabulary(self_->config, self_->lowercase, std::move(hashes),
                             static_cast<std::int64_t>(buckets));
  if (buckets > 0) {
    for (std::size_t s = 0; s < kShards; ++s)
      self_->shards[s].index.each([&](std::uint64_t hash, std::int32_t index) {
        to[static_cast<std::size_t>(index) * kShards + s] = vocabulary.find(hash);
      });
  }
  return {std::move(vocabulary), std::move(to)};
}

}  // namespace diffuse
