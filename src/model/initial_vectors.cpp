#include "diffuse/model/initial_vectors.hpp"

#include <algorithm>
#include <cstddef>

#include "diffuse/base/error.hpp"

namespace diffuse {

void start_from_vectors(Classifier& classifier, const WordVectors& vectors,
                        const ModelConfig& config) {
  const double wanted =
      config.embedding_file_std > 0 ? config.embedding_file_std : vectors.root_mean_square;
  // A file of zeros stays one.
  const double scale = vectors.root_mean_square > 0 ? wanted / vectors.root_mean_square : 1;
  const double random_scale =
      config.embedding_init_std > 0 ? wanted / config.embedding_init_std : 1;
  for (const NamedParameter& parameter : classifier.parameters()) {
    if (parameter.role != ParameterRole::embedding) continue;
    const at::Tensor table = parameter.tensor.detach();
    if (table.numel() != static_cast<std::int64_t>(vectors.values.size()))
      throw Error("The vectors are not those of the model's vocabulary.");
    float* to = table.mutable_data_ptr<float>();
    const auto dim = static_cast<std::size_t>(vectors.dim);
    for (std::size_t i = 0; i < vectors.values.size(); ++i) {
      const bool known = vectors.known[i / dim];
      to[i] = static_cast<float>(known ? static_cast<double>(vectors.values[i]) * scale
                                       : static_cast<double>(to[i]) * random_scale);
    }
    return;
  }
  throw Error("The model has no embedding to start from vectors.");
}

void start_from_log_odds(Classifier& classifier, std::span<const float> log_odds) {
  for (const NamedParameter& parameter : classifier.parameters()) {
    if (parameter.name != "head.out.bias") continue;
    const at::Tensor bias = parameter.tensor.detach();
    if (bias.numel() != static_cast<std::int64_t>(log_odds.size()))
      throw Error("The log-odds are not those of the model's labels.");
    std::copy(log_odds.begin(), log_odds.end(), bias.mutable_data_ptr<float>());
  }
}

}  // namespace diffuse
