#include "diffuse/model/model_description.hpp"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "diffuse/config/load.hpp"
#include "support.hpp"

namespace diffuse {
namespace {

std::vector<ModelType> all_types() {
  using enum ModelFamily;
  return types_of({diffusion, bert, mixer, torchscript});
}

Config of_type(ModelType type) {
  Config config;
  config.model.type = type;
  return config;
}

TEST(ModelDescription, EveryTypeHasOneOfItsOwn) {
  std::set<std::string> titles;
  std::set<std::string> summaries;
  for (const ModelType type : all_types()) {
    titles.emplace(description_of(type).title());
    summaries.insert(description_of(type).summary(of_type(type)));
  }
  EXPECT_EQ(titles.size(), kModelTypes.size());
  EXPECT_EQ(summaries.size(), kModelTypes.size());
}

TEST(ModelDescription, TheLongestTextIsSetWhereThereAreWeightsForEachPlace) {
  using enum ModelType;
  for (const ModelType type : all_types()) {
    Config config = of_type(type);
    description_of(type).set_longest_text(config, 123);
    const bool has_places = type == distilbert || type == bert || type == linformer;
    EXPECT_EQ(description_of(type).longest_text(config), has_places ? 123 : 0) << enum_name(type);
  }
}

TEST(ModelDescription, WeightsOfOthersAreTakenByBertsFamily) {
  for (const ModelType type : all_types()) {
    Config config = of_type(type);
    EXPECT_EQ(description_of(type).pretrained(config), "") << enum_name(type);
    description_of(type).set_pretrained(config, "folder");
    EXPECT_EQ(description_of(type).pretrained(config),
              family_of(type) == ModelFamily::bert ? "folder" : "")
        << enum_name(type);
  }
}

TEST(ModelDescription, SinesAreAddedWhereThePositionsKeyHasAnEffect) {
  for (const ModelType type : types_of({ModelFamily::mixer})) {
    Config config = of_type(type);
    config.model.dim = 8;
    config.mixer.head_dim = 8;
    const ModelShape shape = {17, 2, 0, 0};
    const Batch batch = testing::batch_of({{3, 5, 9}});
    const at::NoGradGuard no_grad;
    const at::Tensor with = make_classifier(config, shape, 1)->forward(batch, {});
    config.mixer.positions = false;
    const at::Tensor without = make_classifier(config, shape, 1)->forward(batch, {});
    EXPECT_EQ(with.sub(without).abs().max().item<float>() > 0,
              has_effect("mixer", "positions", type))
        << enum_name(type);
  }
}

}  // namespace
}  // namespace diffuse
