#include "diffuse/model/initial_weights.hpp"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>

#include "checkpoint_fixture.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse {
namespace {

using testing::checkpoint_error;
using ::testing::HasSubstr;

class StartFromCheckpoint : public testing::CheckpointFixture {
 protected:
  /// A model of other words, two of them the checkpoint's, and of `classes` classes.
  std::unique_ptr<Classifier> other_model(const ModelConfig& model, std::int64_t classes) {
    other_words_ = load_tokenizer(config_.tokenizer,
                                  dir_.write("o.txt", "[PAD]\n[UNK]\n[MASK]\nmat\nmouse\ncat\n"));
    Config config = config_;
    config.model = model;
    return make_classifier(config, {6, classes, other_words_->mask_id()}, 8);
  }
  InitialWeights start(Classifier& model, const Labels& labels) {
    return start_from_checkpoint(model, *other_words_, labels, folder());
  }

  std::unique_ptr<Tokenizer> other_words_;
};

TEST_F(StartFromCheckpoint, OfWordsAreFoundByTheirName) {
  const auto model = other_model(config_.model, 2);
  const auto fresh = other_model(config_.model, 2);
  const InitialWeights found = start(*model, labels_);
  EXPECT_EQ(found.words, 5);  // the three special tokens, mat, cat
  EXPECT_TRUE(found.fresh.empty());
  const at::Tensor table = testing::parameter(*model, "embedding.weight");
  const at::Tensor stored = testing::parameter(*model_, "embedding.weight");
  EXPECT_TRUE(at::equal(table[3], stored[8])) << "mat";
  EXPECT_TRUE(at::equal(table[5], stored[4])) << "cat";
  EXPECT_TRUE(at::equal(table[2], stored[2])) << "[MASK]";
  EXPECT_TRUE(at::equal(table[4], testing::parameter(*fresh, "embedding.weight")[4])) << "mouse";
  for (const NamedParameter& parameter : model->parameters()) {
    if (parameter.name == "embedding.weight") continue;
    EXPECT_TRUE(at::equal(parameter.tensor, testing::parameter(*model_, parameter.name)))
        << parameter.name;
  }
}

TEST_F(StartFromCheckpoint, OfTheHeadAreThoseOfTheSameClassesAlone) {
  const auto model = other_model(config_.model, 2);
  const auto fresh = other_model(config_.model, 2);
  const InitialWeights found = start(*model, Labels({"dog", "bird"}));
  EXPECT_EQ(found.fresh, (std::vector<std::string>{"head.in.weight", "head.in.bias",
                                                   "head.out.weight", "head.out.bias"}));
  EXPECT_TRUE(at::equal(testing::parameter(*model, "head.in.weight"),
                        testing::parameter(*fresh, "head.in.weight")));
}

TEST_F(StartFromCheckpoint, OfPairsAreThoseOfTheSameVocabularyAlone) {
  config_.model.bigram_buckets = 16;
  const auto stored = make_classifier(config_, {10, 2, tokenizer_->mask_id()}, 5);
  for (const NamedParameter& parameter : stored->parameters())
    if (parameter.name == "embedding.bigrams") parameter.tensor.detach().fill_(0.5);
  save(*stored);
  const auto same = make_classifier(config_, {10, 2, tokenizer_->mask_id()}, 8);
  EXPECT_TRUE(start_from_checkpoint(*same, *tokenizer_, labels_, folder()).fresh.empty());
  EXPECT_TRUE(at::equal(testing::parameter(*same, "embedding.bigrams"),
                        testing::parameter(*stored, "embedding.bigrams")));
  const auto model = other_model(config_.model, 2);
  const InitialWeights found = start(*model, labels_);
  EXPECT_EQ(found.fresh, (std::vector<std::string>{"embedding.bigrams"}));
  EXPECT_EQ(testing::parameter(*model, "embedding.bigrams").abs().max().item<float>(), 0.F)
      << "a hash of other words' numbers";
}

TEST_F(StartFromCheckpoint, OfAnotherShapeBeginAsUsual) {
  ModelConfig wider = config_.model;
  wider.radius = 2;
  const auto model = other_model(wider, 2);
  const InitialWeights found = start(*model, labels_);
  EXPECT_EQ(found.fresh, (std::vector<std::string>{"steps.0.weight", "steps.1.weight"}));
  EXPECT_FALSE(found.taken.empty());
}

TEST_F(StartFromCheckpoint, OfNoFittingShapeAreAnError) {
  ModelConfig wider = config_.model;
  wider.dim = 7;
  const auto model = other_model(wider, 2);
  EXPECT_THAT(checkpoint_error([&] {
                start(*model, Labels({"x", "y"}));
              }),
              HasSubstr("no weight of '" + folder().string() +
                        "' has the name and the shape of one of this model; expected a checkpoint "
                        "of the same model.dim"));
}

TEST_F(StartFromCheckpoint, BringTheirWords) {
  EXPECT_EQ(initial_words(folder(), config_),
            (std::vector<std::string>{"[PAD]", "[UNK]", "[MASK]", "the", "cat", "sat", "on", "a",
                                      "mat", "."}));
  Config other = config_;
  other.tokenizer.lowercase = !other.tokenizer.lowercase;
  EXPECT_THAT(checkpoint_error([&] { initial_words(folder(), other); }),
              HasSubstr("makes tokens in another way (tokenizer.type or tokenizer.lowercase)"));
  other = config_;
  other.model.dim = 7;
  EXPECT_THAT(checkpoint_error([&] { initial_words(folder(), other); }),
              HasSubstr("this one 7; expected the same, or no weight fits"));
}

TEST_F(StartFromCheckpoint, AreNoClassifierWhereThereAreNoClasses) {
  write_file_atomically(folder() / "labels.txt", "");
  EXPECT_THAT(checkpoint_error([&] { load_model(folder()); }),
              HasSubstr("It was pretrained on texts alone and knows no classes; `diffuse train "
                        "--init` begins with its weights."));
}

}  // namespace
}  // namespace diffuse
