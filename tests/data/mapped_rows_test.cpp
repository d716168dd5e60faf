// Rows that stand in files, not in memory: they are the same rows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "data/cache_file.hpp"
#include "data/loading.hpp"
#include "diffuse/data/packed_rows.hpp"
#include "diffuse/data/sampler.hpp"

namespace diffuse {
namespace {

using ::testing::HasSubstr;
using testing::kColours;
using testing::TempDir;

constexpr std::size_t kRows = 2 * EncodedDataset::kChunkRows + 77;
constexpr std::int32_t kVocabulary = 70'001;

void fill(EncodedDataset& data, std::size_t rows = kRows) {
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<std::int32_t> ids(1 + i * 7 % 90);
    for (std::size_t j = 0; j < ids.size(); ++j)
      ids[j] = static_cast<std::int32_t>((i * 31 + j * j) % kVocabulary);
    data.append(ids, static_cast<std::int32_t>(i % 3), static_cast<std::uint32_t>(i + 1),
                static_cast<std::uint32_t>(i % 5));
  }
}

/// `data` as the cache gives it back, of the file `name`.
std::unique_ptr<EncodedDataset> through_cache(const TempDir& dir, const EncodedDataset& data,
                                              const char* name = "encoded.bin") {
  CacheContent header;
  header.key = std::string(32, 'a');
  header.labels = "x\ny\nz\n";
  header.classes = 3;
  header.vocab_size = kVocabulary;
  write_cache_file(dir.path() / name, header, data);
  return std::move(read_cache_file(dir.path() / name).data);
}

/// The bytes of an epoch's batches.
std::vector<std::vector<std::byte>> epoch_of(const EncodedDataset& data) {
  std::vector<std::vector<std::byte>> packed;
  for (const auto& rows : epoch_batches(view_all(data), {.batch_size = 64, .seed = 3}, 1)) {
    const PackedRows batch = pack_rows(data, rows);
    packed.emplace_back(batch.bytes().begin(), batch.bytes().end());
  }
  return packed;
}

TEST(MappedRows, GiveTheSameBatchesToTheByte) {
  const TempDir dir;
  EncodedDataset in_memory;
  fill(in_memory);
  EncodedDataset in_file(dir.path(), 100'000);
  fill(in_file);
  EXPECT_GT(in_file.file_bytes(), 500'000u);
  EXPECT_LT(in_file.memory_bytes(), 700'000u) << "a chunk and the lists of chunks";
  const auto mapped = through_cache(dir, in_file);
  EXPECT_GT(mapped->file_bytes(), 1'000'000u);
  EXPECT_LT(mapped->memory_bytes(), 5'000u);
  const auto expected = epoch_of(in_memory);
  for (const EncodedDataset* data : {&in_memory, &in_file, mapped.get()}) {
    data->expect_random_reads();
    data->prefetch(view_all(*data).rows);
  }
  EXPECT_EQ(epoch_of(in_file), expected);
  EXPECT_EQ(epoch_of(*mapped), expected);
  EXPECT_EQ(epoch_of(*through_cache(dir, *mapped, "again.bin")), expected)
      << "what is mapped is written again";
  EXPECT_EQ(mapped->token_count(), in_memory.token_count());
}

TEST(MappedRows, ProvisionalIdsAreReplacedWhereTheyStand) {
  const TempDir dir;
  EncodedDataset in_memory;
  EncodedDataset in_file(dir.path(), 0);
  WorkerPool pool(2);
  std::vector<std::int32_t> to(kVocabulary);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::int32_t>(i % 1000);
  for (EncodedDataset* data : {&in_memory, &in_file}) {
    fill(*data);
    data->map_tokens(to, 1, pool);
    data->map_labels(std::vector<std::int32_t>{2, 0, 1});
  }
  EXPECT_FALSE(in_file.wide());
  EXPECT_EQ(epoch_of(in_file), epoch_of(in_memory));
}

TEST(MappedRows, MayBeFollowedByOthersAndGetOtherLabels) {
  const TempDir dir;
  EncodedDataset in_memory;
  fill(in_memory, 5000);
  const auto mapped = through_cache(dir, in_memory);
  const std::string before = read_file(dir.path() / "encoded.bin");
  for (EncodedDataset* data : {&in_memory, mapped.get()}) {
    fill(*data, 6000);
    data->map_labels(std::vector<std::int32_t>{1, 2, 0});
  }
  ASSERT_EQ(mapped->size(), 11'000u);
  EXPECT_EQ(epoch_of(*mapped), epoch_of(in_memory));
  EXPECT_EQ(read_file(dir.path() / "encoded.bin"), before) << "the file is as it was";
  WorkerPool pool(1);
  EXPECT_THAT(testing::message_of<Error>(
                  [&] { mapped->map_tokens(std::vector<std::int32_t>(kVocabulary), 1, pool); }),
              HasSubstr("cannot be given other tokens"));
}

TEST(MappedRows, AreThoseOfAnEntryThatIsGone) {
  const TempDir dir;
  EncodedDataset data;
  fill(data);
  const auto mapped = through_cache(dir, data);
  std::filesystem::remove(dir.path() / "encoded.bin");
  EXPECT_EQ(epoch_of(*mapped), epoch_of(data));
}

using MappedLoading = testing::Loading;

TEST_F(MappedLoading, ATrainingOnTheCacheHasTheSameBatches) {
  train_on(kColours);
  data_.validation_fraction = 0;
  const TrainingData read = load(words_);
  const TrainingData cached = load(words_);
  EXPECT_EQ(read.train_file->file_bytes(), 0u) << "small: in memory";
  EXPECT_GT(cached.train_file->file_bytes(), 0u);
  EXPECT_EQ(epoch_of(*cached.train_file), epoch_of(*read.train_file));
}

}  // namespace
}  // namespace diffuse
