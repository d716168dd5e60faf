#include "diffuse/config/model_types.hpp"

#include <algorithm>

#include "diffuse/config/load.hpp"

namespace diffuse {

std::vector<ModelType> types_of(const std::vector<ModelFamily>& families) {
  std::vector<ModelType> types;
  for (std::size_t i = 0; i < kModelTypes.size(); ++i) {
    if (std::ranges::find(families, kModelTypes[i].family) != families.end())
      types.push_back(static_cast<ModelType>(i));
  }
  return types;
}

std::string type_names(const std::vector<ModelType>& types, std::string_view last) {
  std::string text;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const bool is_last = i + 1 == types.size() && !last.empty();
    if (i > 0) text += is_last ? " " + std::string(last) + " " : ", ";
    text += enum_name(types[i]);
  }
  return text;
}

}  // namespace diffuse
