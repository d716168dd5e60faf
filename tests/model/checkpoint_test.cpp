#include "diffuse/model/checkpoint.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "checkpoint_fixture.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using testing::checkpoint_error;
using testing::evaluate;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using testing::Sequences;
using testing::TempDir;

const Sequences kStoredSequences = {{1, 4, 4, 9}, {3}, {0, 6, 5, 3}};

class Checkpoint : public testing::CheckpointFixture {};

TEST_F(Checkpoint, GivesTheSameLogitsBitForBit) {
  const LoadedModel loaded = load_model(folder());
  EXPECT_TRUE(at::equal(evaluate(*loaded.classifier, kStoredSequences),
                        evaluate(*model_, kStoredSequences)));
  EXPECT_EQ(loaded.labels.names(), labels_.names());
  EXPECT_EQ(loaded.tokenizer->vocab_text(), tokenizer_->vocab_text());
  EXPECT_EQ(loaded.config.model.dim, 6);
  EXPECT_TRUE(loaded.classifier->parameters()[0].tensor.requires_grad());
}

TEST_F(Checkpoint, KeepsWhatIsKnownOfTheData) {
  EXPECT_FALSE(load_model(folder()).data);  // as of a version that kept none
  std::vector<at::Tensor> values;
  for (const NamedParameter& p : model_->parameters()) values.push_back(p.tensor);
  DataFacts facts;
  facts.layout.header = true;
  facts.layout.texts = {{"title", 3}};
  facts.class_rows = {4, 2};
  save_model(folder(), config_, *tokenizer_, labels_, *model_, values, &facts);
  const LoadedModel loaded = load_model(folder());
  ASSERT_TRUE(loaded.data);
  EXPECT_EQ(loaded.data->layout.texts, facts.layout.texts);
  EXPECT_EQ(loaded.data->class_rows, facts.class_rows);
  dir_.write("step/data.json", "{}");
  EXPECT_THAT(checkpoint_error([&] { load_model(folder()); }),
              HasSubstr("data.json: \"format\" is missing"));
  EXPECT_FALSE(read_training_texts(folder()));
  facts.different_texts = {1, 0x0123456789abcdefU, ~std::uint64_t{0}};
  save_model(folder(), config_, *tokenizer_, labels_, *model_, values, &facts);
  EXPECT_EQ(read_training_texts(folder()), facts.different_texts);
  EXPECT_EQ(read_file(folder() / "texts.bin").substr(8, 2), "\xef\xcd");
  dir_.write("step/texts.bin", "123456789");
  EXPECT_THAT(checkpoint_error([&] { read_training_texts(folder()); }),
              HasSubstr("texts.bin is no list of hashes"));
  facts.class_rows = {4};
  save_model(folder(), config_, *tokenizer_, labels_, *model_, values, &facts);
  EXPECT_THAT(checkpoint_error([&] { load_model(folder()); }),
              HasSubstr("data.json counts rows of 1 classes, labels.txt names 2"));
}

TEST_F(Checkpoint, HoldsTheValuesGivenAndNotTheModelsOwn) {
  std::vector<at::Tensor> zeros;
  for (const NamedParameter& p : model_->parameters()) {
    zeros.push_back(at::zeros(p.tensor.sizes()));
  }
  save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros);
  const LoadedModel loaded = load_model(folder());
  EXPECT_EQ(evaluate(*loaded.classifier, kStoredSequences).abs().sum().item<float>(), 0.F);
  EXPECT_NE(evaluate(*model_, kStoredSequences).abs().sum().item<float>(), 0.F);
  const std::string whole = read_file(folder() / "model.safetensors");
  zeros[0] = at::Tensor();
  EXPECT_THROW(save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros), Error);
  const std::int64_t width = model_->parameters()[0].tensor.size(1);
  const RowSource source = [=](std::int64_t begin, std::int64_t end, float* to) {
    std::fill_n(to, (end - begin) * width, 0.F);
  };
  save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros, nullptr, {source});
  EXPECT_EQ(read_file(folder() / "model.safetensors"), whole);
  // Several are made in the order of the tensors that are not there.
  const auto second = std::find_if(zeros.begin() + 1, zeros.end(),
                                   [](const at::Tensor& tensor) { return tensor.dim() == 2; });
  const std::int64_t other_width = second->size(1);
  *second = at::Tensor();
  EXPECT_THROW(
      save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros, nullptr, {source}),
      Error);
  save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros, nullptr,
             {source, [=](std::int64_t begin, std::int64_t end, float* to) {
                std::fill_n(to, (end - begin) * other_width, 0.F);
              }});
  EXPECT_EQ(read_file(folder() / "model.safetensors"), whole);
  zeros.pop_back();
  EXPECT_THROW(save_model(folder(), config_, *tokenizer_, labels_, *model_, zeros), Error);
}

TEST_F(Checkpoint, IsTheSameBytesEachTime) {
  const std::string before = read_file(folder() / "model.safetensors");
  save(*model_);
  EXPECT_EQ(read_file(folder() / "model.safetensors"), before);
}

TEST_F(Checkpoint, NamesTheFilesItLacks) {
  fs::remove(folder() / "vocab.txt");
  fs::remove(folder() / "labels.txt");
  EXPECT_THAT(checkpoint_error([&] { load_model(folder()); }),
              AllOf(HasSubstr(folder().string()), HasSubstr("lacks vocab.txt, labels.txt")));
}

TEST_F(Checkpoint, SaysWhichOfItsFilesIsDamaged) {
  const fs::path path = folder();
  const auto damaged = [&](const std::string& name, const std::string& content) {
    const std::string kept = read_file(path / name);
    std::ofstream(path / name, std::ios::binary) << content;
    const std::string message = checkpoint_error([&] { load_model(path); });
    std::ofstream(path / name, std::ios::binary) << kept;
    return message;
  };
  EXPECT_THAT(damaged("config.json", "{\"model\": {\"dim\": "), HasSubstr("config.json"));
  EXPECT_THAT(damaged("config.json", "{\"model\": {\"dim\": -3}}"), HasSubstr("model.dim"));
  EXPECT_THAT(damaged("vocab.txt", "not a vocabulary\n"), HasSubstr("vocab.txt:1"));
  EXPECT_THAT(damaged("labels.txt", "cat\ncat\n"), HasSubstr("labels.txt:2"));
  EXPECT_THAT(damaged("model.safetensors", "rubbish"), HasSubstr("model.safetensors"));
  const std::string whole = read_file(path / "model.safetensors");
  EXPECT_THAT(damaged("model.safetensors", whole.substr(0, whole.size() - 5)),
              HasSubstr("model.safetensors"));
}

TEST_F(Checkpoint, ListsTensorsThatDoNotFitItsOtherFiles) {
  std::ofstream(folder() / "labels.txt") << "dog\ncat\nhorse\n";
  const std::string message = checkpoint_error([&] { load_model(folder()); });
  EXPECT_THAT(message, AllOf(HasSubstr("head.out.weight: F32 [2, 6], expected F32 [3, 6]"),
                             HasSubstr("head.out.bias: F32 [2], expected F32 [3]"),
                             Not(HasSubstr("embedding.weight"))));
}

TEST_F(Checkpoint, RefusesAConfigFarLargerThanItsWeights) {
  const std::vector<std::string> huge = {
      R"("steps": 64, "weight": "full", "radius": 64)",
      R"("steps": 64, "weight": "full", "radius": 64, "weight_learned": false)",
      R"("steps": 64, "function": "glu", "hidden_dim": 65536)", R"("head_hidden_dim": 65536)"};
  for (const std::string& settings : huge) {
    std::ofstream(folder() / "config.json")
        << R"({"model": {"dim": 8192, "dilation": [1], )" << settings << "}}";
    EXPECT_THAT(
        checkpoint_error([&] { load_model(folder()); }),
        MatchesRegex("Checkpoint '.*/step' cannot be used. config.json asks for [0-9,]{11,} "
                     "parameters, model.safetensors holds 296; take all files of one checkpoint."))
        << settings;
  }
}

TEST_F(Checkpoint, MayHoldFarLessThanItsConstants) {
  config_.model.dim = 128;
  config_.model.steps = 16;
  config_.model.weight = WeightKind::full;
  config_.model.weight_learned = false;
  config_.model.radius = 64;  // 135 MB of constants, 1 MB of parameters
  const auto large = make_classifier(config_, {10, 2, tokenizer_->mask_id()}, 5);
  save(*large);
  const LoadedModel loaded = load_model(folder());
  EXPECT_TRUE(at::equal(evaluate(*loaded.classifier, kStoredSequences),
                        evaluate(*large, kStoredSequences)));
}

TEST_F(Checkpoint, IsFoundInARunDirectory) {
  EXPECT_EQ(resolve_checkpoint(folder()), folder());
  const fs::path run = dir_.path() / "run";
  dir_.write("run/checkpoints/last/model.safetensors", "");
  EXPECT_EQ(resolve_checkpoint(run), run / "checkpoints" / "last");
  dir_.write("run/checkpoints/best/model.safetensors", "");
  EXPECT_EQ(resolve_checkpoint(run), run / "checkpoints" / "best");
  EXPECT_EQ(resolve_checkpoint(run / "checkpoints"), run / "checkpoints" / "best");
}

TEST_F(Checkpoint, IsFoundWhereAFileStandsForALink) {
  const fs::path run = dir_.path() / "run";
  dir_.write("run/checkpoints/000007/model.safetensors", "");
  dir_.write("run/checkpoints/best", "000007\n");
  EXPECT_EQ(resolve_checkpoint(run), run / "checkpoints/000007");
  EXPECT_EQ(resolve_checkpoint(run / "checkpoints/best"), run / "checkpoints/000007");
}

TEST_F(Checkpoint, SaysWhereItWasLookedFor) {
  const fs::path none = dir_.path() / "none";
  EXPECT_THAT(checkpoint_error([&] { resolve_checkpoint(none); }),
              AllOf(HasSubstr("No checkpoint in '" + none.string()),
                    HasSubstr((none / "model.safetensors").string()),
                    HasSubstr((none / "checkpoints" / "best" / "model.safetensors").string()),
                    HasSubstr((none / "checkpoints" / "last" / "model.safetensors").string())));
}

TEST_F(Checkpoint, WhoseLinkWasCopiedAloneSaysHowToCopyIt) {
  fs::create_directories(dir_.path() / "run/checkpoints");
  fs::create_directory_symlink("000812", dir_.path() / "run/checkpoints/best");
  for (const fs::path& path : {dir_.path() / "run", dir_.path() / "run/checkpoints/best"}) {
    EXPECT_THAT(checkpoint_error([&] { resolve_checkpoint(path); }),
                AllOf(HasSubstr((dir_.path() / "run/checkpoints/best").string() +
                                "' is a link to '000812', which is not there"),
                      HasSubstr("with cp -rL.")));
  }
}

TEST(TensorFile, KeepsEveryTypeAndShape) {
  const TempDir dir;
  const fs::path path = dir.path() / "t.safetensors";
  std::vector<std::pair<std::string, at::Tensor>> saved = {
      {"transposed", at::arange(6, at::kFloat).view({2, 3}).t()},
      {"scalar", at::tensor(2.5, at::kDouble)},
      {"empty", at::zeros({0, 4})}};
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kByte}) {
    saved.emplace_back(at::toString(type), at::arange(5).to(type));
  }
  save_tensors(path, saved);
  std::vector<std::pair<std::string, at::Tensor>> loaded;
  for (const auto& [name, tensor] : saved) {
    loaded.emplace_back(name, at::zeros(tensor.sizes(), tensor.scalar_type()));
  }
  load_tensors(path, loaded);
  for (std::size_t i = 0; i < saved.size(); ++i) {
    EXPECT_TRUE(at::equal(loaded[i].second, saved[i].second)) << saved[i].first;
  }
  EXPECT_THROW(save_tensors(path, {{"complex", at::zeros({1}, at::kComplexFloat)}}), Error);
}

TEST(TensorFile, ListsEveryMismatchAndCopiesNothing) {
  const TempDir dir;
  const fs::path path = dir.path() / "t.safetensors";
  save_tensors(path, {{"good", at::zeros({2}).add(1)},
                      {"shape", at::zeros({2, 3})},
                      {"dtype", at::zeros({4}, at::kHalf)},
                      {"extra", at::zeros({7}, at::kLong)}});
  const at::Tensor good = at::zeros({2});
  const std::string message = checkpoint_error([&] {
    load_tensors(path, {{"good", good},
                        {"shape", at::zeros({3, 2})},
                        {"dtype", at::zeros({4})},
                        {"absent", at::zeros({5, 1})}});
  });
  EXPECT_THAT(message,
              AllOf(HasSubstr(path.string()), HasSubstr("shape: F32 [2, 3], expected F32 [3, 2]"),
                    HasSubstr("dtype: F16 [4], expected F32 [4]"),
                    HasSubstr("absent: missing, expected F32 [5, 1]"),
                    HasSubstr("extra: unexpected, I64 [7]"), Not(HasSubstr("good"))));
  EXPECT_EQ(good.sum().item<float>(), 0.F);
}

TEST(TensorFile, NamesOfAFileAreShownPrintableAndOfManyTheFirst) {
  const TempDir dir;
  const fs::path path = dir.path() / "t.safetensors";
  std::vector<std::pair<std::string, at::Tensor>> saved = {
      {"\x1b[31mred", at::zeros({1})},
      {"a\x1b[2J", at::zeros({1, 1, 1, 1, 1, 1, 1, 1, 1})},
      {"b" + std::string(500, 'b'), at::zeros({1})}};
  for (int i = 0; i < 30; ++i) saved.emplace_back("w" + std::to_string(i), at::zeros({1}));
  save_tensors(path, saved);
  const std::string message = checkpoint_error([&] {
    load_tensors(path, {{"\x1b[31mred", at::zeros({2})}});
  });
  EXPECT_THAT(message,
              AllOf(HasSubstr("\n  \\x1b[31mred: F32 [1], expected F32 [2]"),
                    HasSubstr("\n  a\\x1b[2J: unexpected, F32 [1, 1, 1, 1, 1, 1, 1, 1, …]"),
                    HasSubstr("bbb…: unexpected"), HasSubstr("\n  and 13 more")));
  EXPECT_THAT(message, Not(HasSubstr("\x1b")));
}

TEST(TensorFile, NamesAMissingFile) {
  const TempDir dir;
  const fs::path path = dir.path() / "none.safetensors";
  EXPECT_THAT(checkpoint_error([&] { load_tensors(path, {}); }), HasSubstr(path.string()));
}

}  // namespace
}  // namespace diffuse
