#include "config/enum_names.hpp"

#include "config/support.hpp"

namespace diffuse {

// What enum_names<Enum>() asserts when the program is compiled. An enumerator that is added to
// config.hpp without a name does not compile any more: names_every_enumerator is false as it is for
// `Forgotten`, whose third enumerator has none.
enum class Complete { one, two };
enum class Forgotten { one, two, three };
enum class Removed { one };
template <>
struct EnumNames<Complete> {
  static constexpr std::array<std::string_view, 2> kNames{"one", "two"};
};
template <>
struct EnumNames<Forgotten> {
  static constexpr std::array<std::string_view, 2> kNames{"one", "two"};
};
template <>
struct EnumNames<Removed> {
  static constexpr std::array<std::string_view, 2> kNames{"one", "two"};
};
static_assert(names_every_enumerator<Complete>());
static_assert(!names_every_enumerator<Forgotten>());
static_assert(!names_every_enumerator<Removed>());

}  // namespace diffuse

namespace diffuse::testing {
namespace {

TEST(EnumName, IsTheSpellingOfTheEnumerator) {
  EXPECT_EQ(enum_name(FileFormat::automatic), "auto");
  EXPECT_EQ(enum_name(FileFormat::csv), "csv");
  EXPECT_EQ(enum_name(FileFormat::tsv), "tsv");
  EXPECT_EQ(enum_name(FileFormat::jsonl), "jsonl");
  EXPECT_EQ(enum_name(HeaderMode::automatic), "auto");
  EXPECT_EQ(enum_name(HeaderMode::yes), "yes");
  EXPECT_EQ(enum_name(HeaderMode::no), "no");
  EXPECT_EQ(enum_name(QuoteMode::standard), "standard");
  EXPECT_EQ(enum_name(QuoteMode::none), "none");
  EXPECT_EQ(enum_name(OnError::error), "error");
  EXPECT_EQ(enum_name(OnError::skip), "skip");
  EXPECT_EQ(enum_name(TokenizerType::words), "words");
  EXPECT_EQ(enum_name(TokenizerType::wordpiece), "wordpiece");
  EXPECT_EQ(enum_name(TokenizerType::bytes), "bytes");
  EXPECT_EQ(enum_name(WeightKind::scalar), "scalar");
  EXPECT_EQ(enum_name(WeightKind::channel), "channel");
  EXPECT_EQ(enum_name(WeightKind::full), "full");
  EXPECT_EQ(enum_name(FunctionKind::linear), "linear");
  EXPECT_EQ(enum_name(FunctionKind::mlp), "mlp");
  EXPECT_EQ(enum_name(FunctionKind::glu), "glu");
  EXPECT_EQ(enum_name(Activation::identity), "identity");
  EXPECT_EQ(enum_name(Activation::relu), "relu");
  EXPECT_EQ(enum_name(Activation::gelu), "gelu");
  EXPECT_EQ(enum_name(Activation::silu), "silu");
  EXPECT_EQ(enum_name(Activation::tanh), "tanh");
  EXPECT_EQ(enum_name(NormPosition::none), "none");
  EXPECT_EQ(enum_name(NormPosition::pre), "pre");
  EXPECT_EQ(enum_name(NormPosition::post), "post");
  EXPECT_EQ(enum_name(BaseState::state), "state");
  EXPECT_EQ(enum_name(BaseState::initial), "initial");
  EXPECT_EQ(enum_name(Pooling::mean), "mean");
  EXPECT_EQ(enum_name(Pooling::max), "max");
  EXPECT_EQ(enum_name(Pooling::mean_max), "mean_max");
  EXPECT_EQ(enum_name(Schedule::constant), "constant");
  EXPECT_EQ(enum_name(Schedule::linear), "linear");
  EXPECT_EQ(enum_name(Schedule::cosine), "cosine");
  EXPECT_EQ(enum_name(ModelType::torchscript), "torchscript");
  EXPECT_EQ(enum_name(Precision::fp16), "fp16");
  EXPECT_EQ(enum_name(ValidationMetric::loss), "loss");
}

}  // namespace
}  // namespace diffuse::testing
