#include "diffuse/config/model_types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

using ::testing::ElementsAre;

TEST(ModelTypes, OfAFamilyStandInTheirOrder) {
  using enum ModelType;
  EXPECT_THAT(types_of({ModelFamily::bert}), ElementsAre(distilbert, bert));
  EXPECT_THAT(types_of({ModelFamily::mixer, ModelFamily::diffusion}),
              ElementsAre(diffusion, transformer, linformer, performer, mamba));
  EXPECT_THAT(types_of({ModelFamily::torchscript}), ElementsAre(torchscript));
  EXPECT_THAT(types_of({}), ElementsAre());
}

TEST(ModelTypes, AreSpeltAsTheyAreDeclared) {
  using enum ModelType;
  EXPECT_EQ(enum_name(diffusion), "diffusion");
  EXPECT_EQ(enum_name(distilbert), "distilbert");
  EXPECT_EQ(enum_name(bert), "bert");
  EXPECT_EQ(enum_name(transformer), "transformer");
  EXPECT_EQ(enum_name(linformer), "linformer");
  EXPECT_EQ(enum_name(performer), "performer");
  EXPECT_EQ(enum_name(mamba), "mamba");
}

TEST(ModelTypes, AreNamedInASentence) {
  using enum ModelType;
  EXPECT_EQ(type_names({mamba}, "or"), "mamba");
  EXPECT_EQ(type_names({bert, mamba}, "or"), "bert or mamba");
  EXPECT_EQ(type_names({bert, performer, mamba}, "and"), "bert, performer and mamba");
  EXPECT_EQ(type_names({bert, performer, mamba}), "bert, performer, mamba");
  EXPECT_EQ(type_names({}, "or"), "");
}

}  // namespace
}  // namespace diffuse
