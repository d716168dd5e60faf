#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/text/ngrams.hpp"
#include "hash_index.hpp"
#include "ngram_parts.hpp"

namespace diffuse {

std::size_t sort_ngrams(std::span<NgramValue> values) {
  const auto by_id = [](const NgramValue& a, const NgramValue& b) { return a.id < b.id; };
  std::sort(values.begin(), values.end(), by_id);
  auto to = values.begin();
  for (const NgramValue& from : values) {
    if (to != values.begin() && (to - 1)->id == from.id)
      (to - 1)->value += from.value;
    else
      *to++ = from;
  }
  return static_cast<std::size_t>(to - values.begin());
}

void sort_ngrams(std::vector<NgramValue>& values, std::size_t begin) {
  values.resize(begin + sort_ngrams(std::span(values).subspan(begin)));
}

struct NgramVocabulary::Implementation {
  NgramReader reader;
  std::vector<std::uint64_t> hashes;
  std::int64_t buckets;
  HashIndex index;

  std::int32_t find(std::uint64_t hash) const {
    const std::int32_t own = index.find(hash);
    if (own != HashIndex::kMissing || buckets == 0) return own;
    return static_cast<std::int32_t>(hashes.size() + hash % static_cast<std::uint64_t>(buckets));
  }

  void encode_part(std::span<const std::string_view> texts, HashedPart& hashed,
                   std::vector<NgramValue>& values) const {
    constexpr std::size_t kAhead = 8;  // look-ups under way at the same time
    hash_part(reader, texts, hashed);
    std::size_t at = 0;
    for (std::size_t& end : hashed.ends) {
      const std::size_t begin = values.size();
      for (; at < end; ++at) {
        if (at + kAhead < hashed.hashes.size()) index.prefetch(hashed.hashes[at + kAhead]);
        if (const std::int32_t id = find(hashed.hashes[at]); id >= 0)
          values.push_back({id, hashed.counts[at]});
      }
      sort_ngrams(values, begin);
      end = values.size();
    }
  }
};

NgramVocabulary::NgramVocabulary(const NgramConfig& config, bool lowercase,
                                 std::vector<std::uint64_t> hashes, std::int64_t buckets)
    : self_(std::make_unique<Implementation>(NgramReader(config, lowercase), std::move(hashes),
                                             buckets, HashIndex())) {
  self_->index = HashIndex(self_->hashes.size());
  for (const std::uint64_t hash : self_->hashes)
    if (!self_->index.insert(hash).second)
      throw DataError(fmt::format("The n-gram {:016x} is there twice.", hash));
}
NgramVocabulary::~NgramVocabulary() = default;
NgramVocabulary::NgramVocabulary(NgramVocabulary&&) noexcept = default;
NgramVocabulary& NgramVocabulary::operator=(NgramVocabulary&&) noexcept = default;

std::int64_t NgramVocabulary::size() const { return std::ssize(self_->hashes) + self_->buckets; }
std::int64_t NgramVocabulary::buckets() const { return self_->buckets; }
std::span<const std::uint64_t> NgramVocabulary::hashes() const { return self_->hashes; }
std::int32_t NgramVocabulary::find(std::uint64_t hash) const { return self_->find(hash); }

std::vector<PlacedNgram> NgramVocabulary::placed(std::string_view text) const {
  std::vector<PlacedNgram> ngrams = self_->reader.read_placed(text);
  for (PlacedNgram& ngram : ngrams) ngram.id = find(ngram.hash);
  std::erase_if(ngrams, [](const PlacedNgram& ngram) { return ngram.id < 0; });
  return ngrams;
}

void NgramVocabulary::encode(std::span<const std::string_view> texts, WorkerPool& pool,
                             NgramTexts& encoded, const std::function<void()>& meanwhile) const {
  std::vector<HashedPart> hashed;
  for (const TextPart& part : cut_into_parts(texts, pool.threads()))
    hashed.push_back({part, {}, {}, {}});
  std::vector<std::vector<NgramValue>> values(hashed.size());
  run_parts(
      pool, hashed.size(),
      [&](std::size_t index) { self_->encode_part(texts, hashed[index], values[index]); },
      meanwhile);
  encoded.values.clear();
  encoded.offsets.assign(1, 0);
  for (std::size_t i = 0; i < hashed.size(); ++i) {
    const auto base = std::ssize(encoded.values);
    encoded.values.insert(encoded.values.end(), values[i].begin(), values[i].end());
    for (const std::size_t end : hashed[i].ends)
      encoded.offsets.push_back(base + static_cast<std::int64_t>(end));
  }
}

}  // namespace diffuse
