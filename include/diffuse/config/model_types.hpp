#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

enum class ModelType {
  diffusion,
  distilbert,
  bert,
  transformer,
  linformer,
  performer,
  mamba,
  torchscript
};

/// What the models of a type are made of.
enum class ModelFamily {
  diffusion,    ///< what the section `model` says
  bert,         ///< the layers of BERT, with the sizes of the section of its name
  mixer,        ///< the diffusion model's embedding, pooling and head around what `mixer` says
  torchscript,  ///< a file
};

struct ModelTypeEntry {
  std::string_view name;  ///< as config files spell it
  ModelFamily family;
};

/// An entry for each enumerator of ModelType, in their order.
inline constexpr std::array<ModelTypeEntry, 8> kModelTypes{{
    {"diffusion", ModelFamily::diffusion},
    {"distilbert", ModelFamily::bert},
    {"bert", ModelFamily::bert},
    {"transformer", ModelFamily::mixer},
    {"linformer", ModelFamily::mixer},
    {"performer", ModelFamily::mixer},
    {"mamba", ModelFamily::mixer},
    {"torchscript", ModelFamily::torchscript},
}};

constexpr ModelFamily family_of(ModelType type) {
  return kModelTypes.at(static_cast<std::size_t>(type)).family;
}

/// The types of these families, in the order of ModelType.
std::vector<ModelType> types_of(const std::vector<ModelFamily>& families);

/// For sentences: "transformer, linformer or mamba" with "or" as `last`, which stands before the
/// last one. Without: "transformer, linformer, mamba".
std::string type_names(const std::vector<ModelType>& types, std::string_view last = "");

}  // namespace diffuse
