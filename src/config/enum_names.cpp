#include "enum_names.hpp"

#include "diffuse/config/load.hpp"

namespace diffuse {

template <class Enum>
std::string_view enum_name(Enum value) {
  return enum_names<Enum>().at(static_cast<std::size_t>(value));
}

template std::string_view enum_name(FileFormat);
template std::string_view enum_name(HeaderMode);
template std::string_view enum_name(QuoteMode);
template std::string_view enum_name(OnError);
template std::string_view enum_name(TokenizerType);
template std::string_view enum_name(LongTexts);
template std::string_view enum_name(ModelType);
template std::string_view enum_name(FeatureMap);
template std::string_view enum_name(WeightKind);
template std::string_view enum_name(FunctionKind);
template std::string_view enum_name(Activation);
template std::string_view enum_name(NormPosition);
template std::string_view enum_name(BaseState);
template std::string_view enum_name(Pooling);
template std::string_view enum_name(Schedule);
template std::string_view enum_name(Kernel);
template std::string_view enum_name(EmbeddingUpdate);
template std::string_view enum_name(NgramWeighting);
template std::string_view enum_name(Precision);
template std::string_view enum_name(ValidationMetric);

}  // namespace diffuse
