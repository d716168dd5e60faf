#include "torchscript_parameters.hpp"

#include <set>

namespace diffuse {
namespace {

/// Whether the parameters of the module called `name` are an embedding: by its class (Python's
/// nn.Embedding) or, for modules written otherwise, by its name.
bool is_embedding(const std::string& name, const torch::jit::Module& module) {
  const auto class_name = module.type()->name();
  if (class_name && class_name->name() == "Embedding") return true;
  const std::size_t dot = name.rfind('.');
  return name.substr(dot == std::string::npos ? 0 : dot + 1).find("embedding") != std::string::npos;
}

}  // namespace

std::vector<NamedParameter> trained_parameters(const torch::jit::Module& module) {
  std::vector<NamedParameter> parameters;
  std::set<const c10::TensorImpl*> seen;
  for (const auto& [prefix, part] : module.named_modules()) {
    const bool embedding = is_embedding(prefix, part);
    for (const auto& [name, tensor] : part.named_parameters(/*recurse=*/false)) {
      // Weights that two parts share would otherwise be updated twice.
      if (!tensor.is_floating_point() || !seen.insert(tensor.unsafeGetTensorImpl()).second) {
        continue;
      }
      tensor.set_requires_grad(true);
      const ParameterRole role = tensor.dim() < 2 ? ParameterRole::vector
                                 : embedding      ? ParameterRole::embedding
                                                  : ParameterRole::matrix;
      parameters.push_back({prefix.empty() ? name : prefix + "." + name, tensor, role});
    }
  }
  return parameters;
}

}  // namespace diffuse
