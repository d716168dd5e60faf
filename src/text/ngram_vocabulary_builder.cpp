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

/// Of a shard: together they are below 2^31.
constexpr std::int32_t kMostNumbers =
    std::numeric_limits<std::int32_t>::max() / static_cast<std::int32_t>(kShards);

std::size_t shard_of(std::uint64_t hash) { return hash % kShards; }

struct Candidate {
  std::uint64_t hash = 0;
  std::int32_t texts = 0;
  std::int32_t provisional = 0;
};

}  // namespace

struct NgramVocabularyBuilder::Implementation {
  struct Counted {
    std::int32_t texts = 0;   // that have the n-gram
    std::int32_t number = 0;  // provisional
  };
  struct Shard {
    HashIndex index;
    std::vector<Counted> ngrams;  // of each of the index
    std::int32_t numbers = 0;     // given so far, also to those that were forgotten
  };

  NgramConfig config;
  bool lowercase;
  NgramReader reader;
  std::int64_t rows = 0;
  std::array<Shard, kShards> shards{};
  Forgotten forgotten{};

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
        if (added) {
          if (shard.numbers == kMostNumbers)
            throw DataError(
                "The training texts have too many different n-grams: expected fewer than 2^31, or, "
                "of those beyond ngrams.counted, occurrences of rare ones. Lower ngrams.max or "
                "ngrams.char_max, or raise ngrams.counted.");
          shard.ngrams.push_back({.number = shard.numbers++ * static_cast<std::int32_t>(kShards) +
                                            static_cast<std::int32_t>(number)});
        }
        Counted& ngram = shard.ngrams[static_cast<std::size_t>(index)];
        ++ngram.texts;
        ids[p][i] = ngram.number;
      }
    }
  }

  /// How many texts have the n-gram that stands in the middle by that, of `found`: by the upper
  /// halves of the numbers, then by the lower ones of those that share its upper one, as a sorted
  /// copy of all would take too much memory.
  std::int32_t texts_of_middle(std::int64_t found) const {
    constexpr int kHalf = 16;
    std::int64_t before = found / 2;
    const auto digit_of_middle = [&](const auto& digit) {
      std::vector<std::int64_t> having(std::size_t{1} << kHalf);
      for (const Shard& shard : shards)
        for (const Counted& ngram : shard.ngrams)
          if (const std::int32_t own = digit(ngram.texts); own >= 0)
            ++having[static_cast<std::size_t>(own)];
      std::int32_t middle = 0;
      for (; before >= having[static_cast<std::size_t>(middle)]; ++middle)
        before -= having[static_cast<std::size_t>(middle)];
      return middle;
    };
    const std::int32_t upper = digit_of_middle([](std::int32_t texts) { return texts >> kHalf; });
    const std::int32_t lower = digit_of_middle([&](std::int32_t texts) {
      return texts >> kHalf == upper ? texts & ((1 << kHalf) - 1) : -1;
    });
    return upper << kHalf | lower;
  }

  /// Forgets the rarer half of the n-grams where there are too many: all that are as rare as the
  /// one in the middle. Their numbers are given to no other.
  void forget_rare(WorkerPool& pool) {
    std::int64_t found = 0;
    for (const Shard& shard : shards) found += shard.index.size();
    if (found <= config.counted) return;
    const std::int32_t rare = texts_of_middle(found);
    pool.run(kShards, [&](std::int64_t task, std::int64_t) {
      Shard& shard = shards[static_cast<std::size_t>(task)];
      const auto kept = static_cast<std::size_t>(std::ranges::count_if(
          shard.ngrams, [rare](const Counted& ngram) { return ngram.texts > rare; }));
      Shard others{.index = HashIndex(kept), .ngrams = {}, .numbers = shard.numbers};
      others.ngrams.reserve(kept);
      shard.index.each([&](std::uint64_t hash, std::int32_t index) {
        const Counted& ngram = shard.ngrams[static_cast<std::size_t>(index)];
        if (ngram.texts <= rare) return;
        others.index.insert(hash);
        others.ngrams.push_back(ngram);
      });
      shard = std::move(others);
    });
    ++forgotten.times;
    forgotten.error += rare;
  }

  /// Calls visit(hash, ngram) for each n-gram of a shard.
  template <class Visit>
  static void each(const Shard& shard, const Visit& visit) {
    shard.index.each([&](std::uint64_t hash, std::int32_t index) {
      visit(hash, shard.ngrams[static_cast<std::size_t>(index)]);
    });
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
  self_->forget_rare(pool);
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

NgramVocabularyBuilder::Vocabulary NgramVocabularyBuilder::build() {
  using Counted = Implementation::Counted;
  const std::int64_t least = self_->least();
  std::size_t found = 0;
  std::size_t provisional = 0;
  for (const auto& shard : self_->shards) {
    found += static_cast<std::size_t>(std::ranges::count_if(
        shard.ngrams, [least](const Counted& ngram) { return ngram.texts >= least; }));
    provisional = std::max(provisional, static_cast<std::size_t>(shard.numbers) * kShards);
  }
  // Those beyond the bound share a quarter of it.
  const auto bound = static_cast<std::size_t>(self_->config.max_features);
  const bool share = found > bound && self_->forgotten.times == 0;
  const std::size_t buckets = share ? std::max<std::size_t>(bound / 4, 1) : 0;

  std::vector<Candidate> candidates;
  candidates.reserve(found);
  for (auto& shard : self_->shards) {
    Implementation::each(shard, [&](std::uint64_t hash, const Counted& ngram) {
      if (ngram.texts >= least) candidates.push_back({hash, ngram.texts, ngram.number});
    });
    if (!share) shard = {};  // of which nothing else is asked
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.texts != b.texts ? a.texts > b.texts : a.hash < b.hash;
  });
  if (candidates.size() > bound) candidates.resize(bound - buckets);

  std::vector<std::uint64_t> hashes;
  hashes.reserve(candidates.size());
  for (const Candidate& candidate : candidates) hashes.push_back(candidate.hash);
  NgramVocabulary vocabulary(self_->config, self_->lowercase, std::move(hashes),
                             static_cast<std::int64_t>(buckets));
  NumberMap final_ids(provisional, [&](const auto& take) {
    for (std::size_t i = 0; !share && i < candidates.size(); ++i)
      take(candidates[i].provisional, static_cast<std::int32_t>(i));
    for (const auto& shard : self_->shards)
      Implementation::each(shard, [&](std::uint64_t hash, const Counted& ngram) {
        take(ngram.number, vocabulary.find(hash));
      });
  });
  return {std::move(vocabulary), std::move(final_ids), self_->forgotten};
}

}  // namespace diffuse
