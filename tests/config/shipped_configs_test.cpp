#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kConfigs = fs::path(DIFFUSE_SOURCE_DIR) / "configs";
const std::string kData = (fs::path(DIFFUSE_SOURCE_DIR) / "data").string();

TEST(ShippedConfigs, AllLoadAreCommentedAndUseAllRows) {
  const ScopedVariable unset("DIFFUSE_DATA", nullptr);
  int count = 0;
  for (const auto& entry : fs::directory_iterator(kConfigs)) {
    if (entry.path().extension() != ".json") continue;
    ++count;
    const Config config = load_config(entry.path(), {});
    EXPECT_EQ(config.data.max_rows, 0) << entry.path();
    // The first of two stages has a test behind the second alone.
    const bool is_first = entry.path().stem() == "listops-short";
    EXPECT_EQ(config.data.test.empty(), is_first) << entry.path();
    std::ifstream stream(entry.path());
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    EXPECT_NE(text.find("//"), std::string::npos) << entry.path() << " has no comments";
  }
  EXPECT_EQ(count, 16);
}

TEST(ShippedConfigs, R8IsReadyToTrain) {
  EXPECT_NO_THROW(load_config(kConfigs / "r8.json", {}, FileChecks::training));
}

TEST(ShippedConfigs, TheBestHaveNgramsAndTheDiffusionAloneHasNone) {
  for (const char* name : {"agnews", "agnews-pretrained", "imdb", "r8", "trec"})
    EXPECT_TRUE(load_config(kConfigs / (std::string(name) + ".json"), {}).ngrams.used()) << name;
  for (const char* name : {"agnews-diffusion", "agnews-fast", "image", "listops", "listops-short",
                           "paper", "paper-notebook", "pathfinder", "text"})
    EXPECT_FALSE(load_config(kConfigs / (std::string(name) + ".json"), {}).ngrams.used()) << name;
}

TEST(ShippedConfigs, FetchedDataIsLookedForInDataOrWhereTheEnvironmentSays) {
  for (const std::string name :
       {"agnews", "agnews-diffusion", "agnews-fast", "agnews-pretrained", "trec", "imdb"}) {
    const std::string folder = name.starts_with("agnews") ? "ag_news" : name;
    const std::string file = name == "imdb" ? "train.csv.gz" : "train.csv";
    const ScopedVariable unset("DIFFUSE_DATA", nullptr);
    EXPECT_EQ(load_config(kConfigs / (name + ".json"), {}).data.train,
              kData + "/" + folder + "/" + file);
    const ScopedVariable set("DIFFUSE_DATA", "/elsewhere");
    EXPECT_EQ(load_config(kConfigs / (name + ".json"), {}).data.train,
              "/elsewhere/" + folder + "/" + file);
  }
}

TEST(ShippedConfigs, ThePaperAsItsTextHasIt) {
  const Config config = load_config(kConfigs / "paper.json", {});
  EXPECT_EQ(config.tokenizer.vocab, kData + "/bert-base-uncased/vocab.txt");
  EXPECT_EQ(config.tokenizer.type, TokenizerType::wordpiece);
  EXPECT_EQ(config.model.dim, 256);
  EXPECT_EQ(config.model.steps, 4);
  EXPECT_EQ(config.model.alpha, 0.5);
  EXPECT_EQ(config.model.noise_std, 0.1);
  EXPECT_FALSE(config.model.noise_at_evaluation);
  EXPECT_FALSE(config.model.self_neighbour);
  EXPECT_EQ(config.model.weight, WeightKind::scalar);
  EXPECT_TRUE(config.model.weight_learned);
  EXPECT_EQ(config.model.function, FunctionKind::mlp);
  EXPECT_EQ(config.model.activation, Activation::gelu);
  EXPECT_EQ(config.model.hidden_dim, 512);
  EXPECT_EQ(config.model.norm, NormPosition::none);
  EXPECT_EQ(config.model.pooling, Pooling::mean);
  EXPECT_NE(config.model.head_hidden_dim, 0);
  EXPECT_EQ(config.train.batch_size, 64);
  EXPECT_EQ(config.train.learning_rate, 3e-4);
  EXPECT_EQ(config.train.length, "9375u");
  EXPECT_EQ(config.train.evaluate_every, "1875u");
}

TEST(ShippedConfigs, ThePaperAsItsNotebookHasIt) {
  const Config text = load_config(kConfigs / "paper.json", {});
  const Config notebook = load_config(kConfigs / "paper-notebook.json", {});
  EXPECT_TRUE(notebook.model.noise_at_evaluation);
  EXPECT_EQ(notebook.model.function, FunctionKind::linear);
  EXPECT_EQ(notebook.model.activation, Activation::identity);
  EXPECT_TRUE(notebook.model.share_weights);
  EXPECT_FALSE(notebook.model.weight_learned);
  EXPECT_EQ(notebook.model.weight_init, 1.0);
  EXPECT_EQ(notebook.model.head_hidden_dim, 0);
  // The two must be comparable: same data, same training.
  Config same = notebook;
  same.model = text.model;
  EXPECT_EQ(config_json(same), config_json(text));
}

}  // namespace
}  // namespace diffuse::testing
