#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "diffuse/config/config.hpp"

namespace diffuse {

/// How config files spell the enumerators of `Enum`, in the order of their declaration.
template <class Enum>
struct EnumNames;

template <>
struct EnumNames<FileFormat> {
  static constexpr std::array<std::string_view, 5> kNames{"auto", "csv", "tsv", "jsonl", "pixels"};
};
template <>
struct EnumNames<HeaderMode> {
  static constexpr std::array<std::string_view, 3> kNames{"auto", "yes", "no"};
};
template <>
struct EnumNames<QuoteMode> {
  static constexpr std::array<std::string_view, 2> kNames{"standard", "none"};
};
template <>
struct EnumNames<OnError> {
  static constexpr std::array<std::string_view, 2> kNames{"error", "skip"};
};
template <>
struct EnumNames<TokenizerType> {
  static constexpr std::array<std::string_view, 4> kNames{"words", "wordpiece", "bytes", "values"};
};
template <>
struct EnumNames<LongTexts> {
  static constexpr std::array<std::string_view, 2> kNames{"cut", "pool"};
};
template <>
struct EnumNames<NgramWeighting> {
  static constexpr std::array<std::string_view, 3> kNames{"tfidf", "naive_bayes", "binary"};
};
constexpr auto model_type_names() {
  std::array<std::string_view, kModelTypes.size()> names;
  for (std::size_t i = 0; i < names.size(); ++i) names[i] = kModelTypes[i].name;
  return names;
}
template <>
struct EnumNames<ModelType> {
  static constexpr auto kNames = model_type_names();
};
template <>
struct EnumNames<FeatureMap> {
  static constexpr std::array<std::string_view, 2> kNames{"relu", "softmax"};
};
template <>
struct EnumNames<WeightKind> {
  static constexpr std::array<std::string_view, 3> kNames{"scalar", "channel", "full"};
};
template <>
struct EnumNames<FunctionKind> {
  static constexpr std::array<std::string_view, 3> kNames{"linear", "mlp", "glu"};
};
template <>
struct EnumNames<Activation> {
  static constexpr std::array<std::string_view, 5> kNames{"identity", "relu", "gelu", "silu",
                                                          "tanh"};
};
template <>
struct EnumNames<NormPosition> {
  static constexpr std::array<std::string_view, 3> kNames{"none", "pre", "post"};
};
template <>
struct EnumNames<BaseState> {
  static constexpr std::array<std::string_view, 2> kNames{"state", "initial"};
};
template <>
struct EnumNames<Pooling> {
  static constexpr std::array<std::string_view, 3> kNames{"mean", "max", "mean_max"};
};
template <>
struct EnumNames<Schedule> {
  static constexpr std::array<std::string_view, 3> kNames{"constant", "linear", "cosine"};
};
template <>
struct EnumNames<Kernel> {
  static constexpr std::array<std::string_view, 4> kNames{"auto", "fused", "operations",
                                                          "reference"};
};
template <>
struct EnumNames<EmbeddingUpdate> {
  static constexpr std::array<std::string_view, 2> kNames{"touched", "dense"};
};
template <>
struct EnumNames<Precision> {
  static constexpr std::array<std::string_view, 5> kNames{"auto", "fp32", "tf32", "bf16", "fp16"};
};
template <>
struct EnumNames<ValidationMetric> {
  static constexpr std::array<std::string_view, 3> kNames{"accuracy", "macro_f1", "loss"};
};

/// Whether `value` is one of its type's enumerators: the compiler writes others as a cast,
/// "(Pooling)3".
template <auto value>
constexpr bool is_enumerator() {
  const std::string_view function = __PRETTY_FUNCTION__;
  return function[function.find("value = ") + std::string_view("value = ").size()] != '(';
}

/// Whether EnumNames<Enum> has a name for every enumerator, and none beyond the last one.
template <class Enum>
constexpr bool names_every_enumerator() {
  constexpr std::size_t kCount = EnumNames<Enum>::kNames.size();
  return is_enumerator<static_cast<Enum>(kCount - 1)>() &&
         !is_enumerator<static_cast<Enum>(kCount)>();
}

/// EnumNames<Enum>::kNames, which compiles only where they are complete.
template <class Enum>
constexpr const auto& enum_names() {
  static_assert(names_every_enumerator<Enum>(),
                "EnumNames: as many names as the enumeration has enumerators");
  return EnumNames<Enum>::kNames;
}

}  // namespace diffuse
