#include "diffuse/config/grid.hpp"

#include <gmock/gmock.h>

#include "config/support.hpp"

namespace diffuse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// A folder with a training file, and the config of it that a grid varies.
class GridFile : public ::testing::Test {
 protected:
  Grid read(const std::string& content, const std::vector<std::string>& vary = {}) const {
    return read_grid(dir_.write("g.json", content), vary, base_);
  }
  static std::vector<std::string> texts(const Grid& grid) {
    std::vector<std::string> texts;
    for (const GridPoint& point : grid.points) texts.push_back(grid_point_text(point));
    return texts;
  }

  TempDir dir_;
  Config base_ = default_config({{"data.train", dir_.write("train.csv", "a,b\n").string()}});
};

TEST_F(GridFile, StandsForAllCombinationsTheLastKeyFastest) {
  const Grid grid = read(R"({
    // comments, as in a config
    "model.dim": [64, 32],
    "train.length": ["3e", "20u"]
  })");
  EXPECT_THAT(grid.keys, ElementsAre("model.dim", "train.length"));
  EXPECT_THAT(
      texts(grid),
      ElementsAre("model.dim = 64, train.length = 3e", "model.dim = 64, train.length = 20u",
                  "model.dim = 32, train.length = 3e", "model.dim = 32, train.length = 20u"));
  EXPECT_EQ(grid.points[2].config.model.dim, 32);
  EXPECT_EQ(grid.points[2].config.train.length, "3e");
  EXPECT_EQ(grid.points[2].config.data.train, base_.data.train);
  EXPECT_THAT(grid.points[2].values,
              ElementsAre(Pair("model.dim", "32"), Pair("train.length", "\"3e\"")));
}

TEST_F(GridFile, MayHaveSectionsAsAConfigHas) {
  EXPECT_THAT(texts(read(R"({"model": {"dim": [8], "steps": [1, 2]}, "train.patience": [3]})")),
              ElementsAre("model.dim = 8, model.steps = 1, train.patience = 3",
                          "model.dim = 8, model.steps = 2, train.patience = 3"));
}

TEST_F(GridFile, AListIsAUnionInWhichNothingStandsTwice) {
  const Grid grid =
      read(R"([{}, {"model.dim": [8, 64]}, {"model.dim": [8], "model.steps": [2, 5]}])");
  const std::string dim = "model.dim = " + std::to_string(base_.model.dim);
  const std::string steps = ", model.steps = " + std::to_string(base_.model.steps);
  // A key that an object does not name has the config's own value.
  std::vector<std::string> expected = {dim + steps};
  for (const std::string& text : {"model.dim = 8" + steps, "model.dim = 64" + steps,
                                  std::string("model.dim = 8, model.steps = 2"),
                                  std::string("model.dim = 8, model.steps = 5")})
    if (std::ranges::find(expected, text) == expected.end()) expected.push_back(text);
  EXPECT_EQ(texts(grid), expected);
}

TEST_F(GridFile, IsMultipliedByVary) {
  EXPECT_THAT(
      texts(read(R"([{"model.dim": [8]}, {"model.steps": [7]}])", {"train.patience=1,2"})).size(),
      4U);
  EXPECT_THAT(texts(read_grid("", {"model.dim=8,16", R"(train.length=["3e"])"}, base_)),
              ElementsAre("model.dim = 8, train.length = 3e", "model.dim = 16, train.length = 3e"));
  // A value that is a list itself.
  EXPECT_THAT(texts(read_grid("", {"model.dilation=[[1, 2], [1]]"}, base_)),
              ElementsAre("model.dilation = [1,2]", "model.dilation = [1]"));
}

TEST_F(GridFile, WithoutValuesIsTheConfigAlone) {
  const Grid grid = read_grid("", {}, base_);
  EXPECT_THAT(texts(grid), ElementsAre("the config as it is"));
  EXPECT_TRUE(grid.keys.empty());
}

TEST_F(GridFile, PathsStartFromItsFolderAndVariablesAreReplaced) {
  const ScopedVariable variable("GRID_TEST_NAME", "vectors");
  const Grid grid = read(R"({"model.embedding_file": ["sub/${GRID_TEST_NAME}.vec", ""]})");
  EXPECT_EQ(grid.points[0].config.model.embedding_file, (dir_.path() / "sub/vectors.vec").string());
  EXPECT_EQ(grid.points[1].config.model.embedding_file, "");
}

TEST_F(GridFile, IsReadBackFromItsJson) {
  const Grid grid = read(R"([{"model.embedding_file": ["a$${b}.vec"]}, {"model.dim": [8, 16]}])");
  const Grid again = parse_grid(grid_json(grid), "stored", base_);
  EXPECT_EQ(again.keys, grid.keys);
  EXPECT_EQ(texts(again), texts(grid));
  EXPECT_EQ(again.points[0].config.model.embedding_file, (dir_.path() / "a${b}.vec").string());
}

TEST_F(GridFile, FilesMayBeVariedWhereTheValidationRowsHaveTheirOwn) {
  dir_.write("more.csv", "a,b\n");
  base_.data.validation = base_.data.train.first();
  EXPECT_EQ(
      read(R"({"data.train": ["train.csv", "more.csv"], "data.max_rows": [10, 0]})").points.size(),
      4U);
}

}  // namespace
}  // namespace diffuse::testing
