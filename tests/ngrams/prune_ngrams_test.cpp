#include "diffuse/ngrams/prune_ngrams.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "support/message_of.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

TEST(UsualPart, IsATwentiethButTwentyThousandAtLeast) {
  EXPECT_EQ(usual_part(1), 1);
  EXPECT_EQ(usual_part(20'000), 1);
  EXPECT_DOUBLE_EQ(usual_part(50'000), 0.4);
  EXPECT_DOUBLE_EQ(usual_part(400'000), 0.05);
  EXPECT_DOUBLE_EQ(usual_part(4'000'000), 0.05);
}

/// Four n-grams of hashes 11 … 14 and a number that others share.
class PruneNgrams : public ::testing::Test {
 protected:
  PruneNgrams() { config_.max = 2; }

  PrunedVocabulary pruned(double keep, const std::vector<double>& influence = {1, 3, 2, 3, 9}) {
    return prune_vocabulary(vocabulary_, config_, true, keep, influence);
  }

  NgramConfig config_;
  NgramVocabulary vocabulary_{config_, true, {11, 12, 13, 14}, 1};
  NgramModel model_{NgramWeighting::tfidf,
                    {1, 2, 3, 4, 5},
                    {2, {0.1F, 0, 3, -4, 0, -2, 1, 2, 9, 9}, {0.5F, -0.5F}}};
};

TEST_F(PruneNgrams, InfluenceGrowsWithWeightScaleAndRows) {
  EncodedDataset data;
  const std::vector<std::int32_t> token = {1};
  for (const std::vector<NgramValue>& row :
       {std::vector<NgramValue>{{1, 7}, {2, 1}}, {{1, 1}}, {{0, 1}, {1, 1}}, {{1, 1}, {3, 1}}}) {
    data.append(token, 0, 1);
    data.ngrams().append({row, {0, std::ssize(row)}});
  }
  // |w| = 0.1, 5, 2, √5, √162; scale 1 … 5; rows 1, 4, 1, 1 and none.
  EXPECT_THAT(ngram_influence(model_, view_all(data)),
              ElementsAre(::testing::DoubleNear(0.1, 1e-6), DoubleEq(5 * 2 * 2), DoubleEq(2 * 3),
                          DoubleEq(std::sqrt(5) * 4), 0));
  DatasetView last = view_all(data);
  last.rows = {3};
  EXPECT_THAT(ngram_influence(model_, last),
              ElementsAre(0, DoubleEq(5 * 2), 0, DoubleEq(std::sqrt(5) * 4), 0))
      << "the rows of the view alone count";
}

TEST_F(PruneNgrams, ThoseOfTheGreatestInfluenceStayInTheirOrder) {
  const PrunedVocabulary half = pruned(0.5);
  EXPECT_THAT(half.vocabulary.hashes(), ElementsAre(12, 14));
  EXPECT_THAT(half.new_ids, ElementsAre(-1, 0, -1, 1, -1));
  EXPECT_EQ(half.vocabulary.buckets(), 0) << "the shared number goes, however much it says";
  EXPECT_EQ(half.vocabulary.find(11), -1);
  EXPECT_EQ(half.vocabulary.find(14), 1);
}

TEST_F(PruneNgrams, ThePartIsRoundedUpAndTiesGoByNumber) {
  EXPECT_THAT(pruned(0.01).vocabulary.hashes(), ElementsAre(12));
  EXPECT_THAT(pruned(0.25).vocabulary.hashes(), ElementsAre(12));
  EXPECT_THAT(pruned(0.26).vocabulary.hashes(), ElementsAre(12, 14));
  EXPECT_THAT(pruned(1).vocabulary.hashes(), ElementsAre(11, 12, 13, 14));
  EXPECT_THAT(pruned(0.75, {0, 0, 0, 0, 0}).new_ids, ElementsAre(0, 1, 2, -1, -1));
  std::vector<std::uint64_t> hashes(100);
  for (std::size_t i = 0; i < hashes.size(); ++i) hashes[i] = i + 1;
  const NgramVocabulary hundred(config_, true, hashes, 0);
  EXPECT_EQ(
      prune_vocabulary(hundred, config_, true, 0.07, std::vector<double>(100)).vocabulary.size(), 7)
      << "0.07 · 100 is 7.000000000000001";
}

TEST_F(PruneNgrams, RefusesNoPartAndOtherInfluences) {
  for (const double keep : {0.0, 1.5, std::nan("")})
    EXPECT_EQ(message_of<Error>([&] { pruned(keep); }),
              "prune_vocabulary: a part above 0 and at most 1 can be kept.");
  EXPECT_EQ(message_of<Error>([&] {
              pruned(0.5, {1, 2});
            }),
            "prune_vocabulary: the influences are those of another vocabulary.");
}

class NgramBytes : public PruneNgrams {
 protected:
  NgramBranch load() { return load_ngrams(path_, config_, true, 2); }
  std::string fault() {
    return message_of<CheckpointError>([&] { load(); });
  }
  /// Writes a file of one n-gram with the tensors that are not replaced by `others`; those of an
  /// empty shape are left out.
  void write(const std::map<std::string, TensorView>& others) {
    std::vector<TensorView> tensors;
    for (const TensorView& usual : {TensorView{"hash", DType::i64, {1}, of(hashes_)},
                                    {"scale", DType::bf16, {1}, of(halves_).first(2)},
                                    {"weight", DType::u8, {1, 2}, of(bytes_)},
                                    {"step", DType::bf16, {1}, of(halves_).first(2)},
                                    {"bias", DType::f32, {2}, of(numbers_)}}) {
      const auto other = others.find(usual.name);
      if (other == others.end())
        tensors.push_back(usual);
      else if (!other->second.shape.empty())
        tensors.push_back(other->second);
    }
    write_safetensors(path_, tensors);
  }
  template <class Values>
  static std::span<const std::byte> of(const Values& values) {
    return std::as_bytes(std::span(values));
  }

  testing::TempDir dir_;
  std::filesystem::path path_ = dir_.path() / "ngrams.safetensors";
  std::vector<std::uint64_t> hashes_ = {1};
  std::vector<std::uint16_t> halves_ = {0x3f80, 0x4000};  // 1 and 2 in bfloat16
  std::vector<std::uint8_t> bytes_ = {0, 255};
  std::vector<float> numbers_ = {1, 2};
};

TEST_F(NgramBytes, AreReadAsTheirFormSays) {
  write({});
  const NgramBranch branch = load();
  EXPECT_THAT(branch.model.scale(), ElementsAre(1));
  EXPECT_THAT(branch.model.weights().weights, ElementsAre(-128, 127));
  EXPECT_THAT(branch.model.weights().bias, ElementsAre(1, 2));
}

TEST_F(NgramBytes, AreNotFarFromWhatWasWritten) {
  const std::vector<float> scale = {1.234567F, 2, 3, 4, 5.4321F};
  const NgramModel model(NgramWeighting::tfidf, scale, model_.weights());
  save_ngrams_in_bytes(path_, vocabulary_, model);
  const NgramBranch branch = load();
  EXPECT_EQ(branch.vocabulary.size(), 5);
  EXPECT_EQ(branch.vocabulary.find(14), 3);
  EXPECT_EQ(branch.vocabulary.find(999), 4) << "the shared number";
  for (std::size_t v = 0; v < scale.size(); ++v)
    EXPECT_NEAR(branch.model.scale()[v], scale[v], scale[v] / 256) << "eight bits of a fraction";
  const std::vector<float>& found = branch.model.weights().weights;
  const std::vector<float>& wanted = model.weights().weights;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const float largest = std::max(std::abs(wanted[i / 2 * 2]), std::abs(wanted[i / 2 * 2 + 1]));
    EXPECT_NEAR(found[i], wanted[i], largest / 127 * 0.51F) << i;
  }
  EXPECT_EQ(found[4], 0) << "0 stays 0";
  EXPECT_EQ(branch.model.weights().bias, model.weights().bias);
}

TEST_F(NgramBytes, WrittenOnceMoreLoseNothing) {
  save_ngrams_in_bytes(path_, vocabulary_, model_);
  const NgramBranch first = load();
  save_ngrams_in_bytes(path_, first.vocabulary, first.model);
  const NgramBranch second = load();
  for (std::size_t i = 0; i < first.model.weights().weights.size(); ++i)
    EXPECT_NEAR(second.model.weights().weights[i], first.model.weights().weights[i],
                0.01 * std::abs(first.model.weights().weights[i]));
  EXPECT_EQ(second.model.scale(), first.model.scale());
}

TEST_F(NgramBytes, TakeTwelveBytesAndOneForEachClass) {
  save_ngrams(path_, vocabulary_, model_);
  const auto whole = std::filesystem::file_size(path_);
  save_ngrams_in_bytes(path_, vocabulary_, model_);
  const std::map<std::string, TensorView> tensors = SafetensorsFile::read(path_).tensors();
  std::size_t bytes = 0;
  for (const auto& [name, tensor] : tensors)
    if (name == "weight" || name == "scale" || name == "step") bytes += tensor.bytes.size();
  EXPECT_EQ(bytes, 5 * (4U + 2U)) << "beside 8 bytes of hash";
  EXPECT_LT(bytes, whole);
}

TEST_F(NgramBytes, OfNoWeightAtAllAreZero) {
  const NgramModel zero(NgramWeighting::tfidf, {1, 1, 1, 1, 1},
                        {2, std::vector<float>(10), {0, 0}});
  save_ngrams_in_bytes(path_, vocabulary_, zero);
  EXPECT_EQ(load().model.weights().weights, std::vector<float>(10));
}

TEST_F(NgramBytes, WithoutATensorOrOfAnotherTypeAreRefused) {
  write({{"step", {}}});
  EXPECT_THAT(fault(), HasSubstr("has no tensor \"step\" of type BF16 with 1 dimension."));
  write({{"scale", {"scale", DType::f32, {1}, of(numbers_).first(4)}}});
  EXPECT_THAT(fault(), HasSubstr("has no tensor \"scale\" of type BF16 with 1 dimension."));
  write({{"weight", {"weight", DType::u8, {2}, of(bytes_)}}});
  EXPECT_THAT(fault(), HasSubstr("has no tensor \"weight\" of type U8 with 2 dimensions."));
}

TEST_F(NgramBytes, OfShapesThatDisagreeAreRefused) {
  write({{"step", {"step", DType::bf16, {2}, of(halves_)}}});
  EXPECT_THAT(fault(), HasSubstr("holds 2 steps for the weights of 1 n-grams; expected one each."));
  write({{"scale", {"scale", DType::bf16, {2}, of(halves_)}}});
  EXPECT_THAT(fault(), HasSubstr("holds 1 hashes, 2 scales, weights [1, 2] and 2 biases"));
  write({{"weight", {"weight", DType::u8, {2, 1}, of(bytes_)}}});
  EXPECT_THAT(fault(), HasSubstr("weights [2, 1]"));
}

TEST_F(NgramBytes, OfNumbersThatAreNotFiniteAreRefused) {
  const std::vector<std::uint16_t> infinity = {0x7f80};
  for (const std::string name : {"scale", "step"}) {
    write({{name, {name, DType::bf16, {1}, of(infinity)}}});
    EXPECT_THAT(fault(),
                HasSubstr("the tensor \"" + name + "\" holds a number that is not finite."));
  }
  numbers_[1] = std::numeric_limits<float>::quiet_NaN();
  write({});
  EXPECT_THAT(fault(), HasSubstr("the tensor \"bias\" holds a number that is not finite."));
}

TEST_F(NgramBytes, EveryCutFileIsRefused) {
  save_ngrams_in_bytes(path_, vocabulary_, model_);
  for (auto size = std::filesystem::file_size(path_); size-- > 0;) {
    std::filesystem::resize_file(path_, size);
    EXPECT_NE(fault(), "") << size;
  }
}

}  // namespace
}  // namespace diffuse
