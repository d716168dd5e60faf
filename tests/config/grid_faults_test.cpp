#include <gmock/gmock.h>

#include "config/support.hpp"
#include "diffuse/config/grid.hpp"

namespace diffuse::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GridFaults : public ::testing::Test {
 protected:
  /// What a grid of this content, of the file g.json, complains about.
  std::string fault(const std::string& content, const std::vector<std::string>& vary = {}) {
    const std::filesystem::path file = content.empty() ? "" : dir_.write("g.json", content);
    std::string text = config_error([&] { read_grid(file, vary, base_); });
    for (std::size_t at = 0; (at = text.find(dir_.path().string() + "/")) != std::string::npos;)
      text.erase(at, dir_.path().string().size() + 1);
    return text;
  }

  TempDir dir_;
  Config base_ = default_config({{"data.train", dir_.write("train.csv", "a,b\n").string()}});
};

TEST_F(GridFaults, AreToldAllAtOnce) {
  EXPECT_EQ(fault(R"({"model.dmi": [8], "model.dim": 8, "model.steps": [], "model.alpha": [2, 0.5],
                      "train.length": ["3e", "3e"], "train.seed": [1, 2]})"),
            "g.json: model.dmi: unknown key; did you mean \"model.dim\"?\n"
            "g.json: model.dim: 8 is a number; expected a list of values, [8, ...]\n"
            "g.json: model.steps: the list is empty; expected at least one value\n"
            "g.json: model.alpha: 2 is out of range; expected a number from 0 to 1 (share of the "
            "base state kept at each step)\n"
            "g.json: train.length: \"3e\" stands twice; keep one of the two\n"
            "g.json: train.seed: cannot be varied: --seeds N trains each combination with N seeds "
            "from train.seed on");
}

TEST_F(GridFaults, OfTheFileItself) {
  EXPECT_EQ(
      config_error([&] { read_grid(dir_.path() / "none.json", {}, base_); }),
      (dir_.path() / "none.json").string() + ": cannot be opened: No such file or directory.");
  EXPECT_THAT(fault("{\"model.dim\": [8,]}"), HasSubstr("not valid JSON"));
  EXPECT_EQ(fault("[]"), "g.json: the list is empty; expected at least one object");
  EXPECT_EQ(fault("[3]"),
            "g.json: 3 is a number; expected an object with a list of values for each key, "
            "{\"model.dim\": [64, 128]}, or a list of such objects");
  EXPECT_THAT(fault("{\"model.dim\": [8], \"model.dim\": [9]}"),
              HasSubstr("model.dim: this key stands twice"));
  EXPECT_THAT(fault("{\"train.length\": [\"${NOT_SET_ANYWHERE}e\"]}"),
              HasSubstr("g.json: train.length: "));
}

TEST_F(GridFaults, OfVary) {
  EXPECT_EQ(fault("", {"model.dim"}),
            "--vary model.dim: expected key=value,value, such as --vary model.dim=64,128");
  EXPECT_EQ(fault("", {"=8"}),
            "--vary =8: expected key=value,value, such as --vary "
            "model.dim=64,128");
  EXPECT_THAT(fault("", {"model.dim=8,big"}),
              HasSubstr("--vary: model.dim: \"big\" is a text; expected a whole number"));
  EXPECT_THAT(fault("", {"model.dmi=8"}),
              HasSubstr("--vary: model.dmi: unknown key; did you mean"));
  EXPECT_THAT(fault("", {"model.dim=[8"}), HasSubstr("--vary model.dim:1:"));
  EXPECT_EQ(fault(R"({"model.dim": [8]})", {"model.dim=16"}),
            "--vary: model.dim: the key is varied twice; give all its values in one place");
  EXPECT_EQ(fault("", {"model.dim=8", "model.dim=16"}),
            "--vary: model.dim: the key is varied twice; give all its values in one place");
}

TEST_F(GridFaults, NameTheCombinationWhoseValuesDoNotGoTogether) {
  EXPECT_THAT(fault(R"({"ngrams.max": [0, 2], "model.dim": [0, 8]})"),
              AllOf(HasSubstr("g.json: "), HasSubstr("(with ngrams.max = 0, model.dim = 0)")));
  EXPECT_THAT(fault(R"({"ngrams.max": [0], "model.dim": [0], "train.patience": [1, 2, 3]})"),
              HasSubstr("(with ngrams.max = 0, model.dim = 0, train.patience = 1; and 2 more)"));
  base_.data.validation = base_.data.train.first();
  EXPECT_THAT(fault(R"({"data.train": ["train.csv", "none.csv"]})"),
              AllOf(HasSubstr("data.train: none.csv cannot be read: No such file or directory"),
                    HasSubstr("(with data.train = ")));
}

TEST_F(GridFaults, WhatChoosesTheComparedRowsIsNotVaried) {
  for (const char* key : {"data.validation", "data.validation_fraction", "data.test",
                          "data.label_column", "data.on_error"})
    EXPECT_EQ(fault("", {std::string(key) + "=x"}),
              std::string("--vary: ") + key +
                  ": cannot be varied: all combinations are compared on the same validation rows");
  for (const char* key : {"data.train", "data.max_rows"})
    EXPECT_EQ(fault("", {std::string(key) + "=1"}),
              std::string("--vary: ") + key +
                  ": can only be varied where the validation and test rows have files of their "
                  "own: all combinations are compared on the same rows; set data.validation (and "
                  "data.test)");
}

TEST_F(GridFaults, TooManyCombinationsAreRefused) {
  std::string values = "[0";
  for (int i = 1; i < 50; ++i) values.append(",").append(std::to_string(i));
  values += "]";
  EXPECT_EQ(fault("", {"train.patience=" + values, "train.max_updates=" + values}),
            "--vary: the values make more than 2,000 combinations; expected fewer values");
}

}  // namespace
}  // namespace diffuse::testing
