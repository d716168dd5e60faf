#include <fmt/core.h>

#include <array>
#include <cstring>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/ngrams/ngram_model.hpp"

namespace diffuse {
namespace {

template <class T>
TensorView view_of(std::string name, DType dtype, std::vector<std::int64_t> shape,
                   std::span<const T> values) {
  return {std::move(name), dtype, std::move(shape), std::as_bytes(values)};
}

/// A tensor of the file, checked.
class Tensor {
 public:
  Tensor(const std::filesystem::path& path, const SafetensorsFile& file, const std::string& name,
         DType dtype, std::size_t dimensions) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end() || found->second.dtype != dtype ||
        found->second.shape.size() != dimensions)
      throw CheckpointError(fmt::format("'{}' has no tensor \"{}\" of type {} with {} dimension{}.",
                                        path.string(), name, dtype_name(dtype), dimensions,
                                        dimensions == 1 ? "" : "s"));
    view_ = &found->second;
  }

  std::int64_t size(std::size_t dimension) const { return view_->shape[dimension]; }
  template <class T>
  std::vector<T> values() const {
    std::vector<T> values(view_->bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), view_->bytes.data(), view_->bytes.size());
    return values;
  }

 private:
  const TensorView* view_ = nullptr;
};

}  // namespace

void save_ngrams(const std::filesystem::path& path, const NgramVocabulary& vocabulary,
                 const NgramModel& model) {
  const LinearWeights& weights = model.weights();
  const std::array<TensorView, 4> tensors = {
      view_of("hash", DType::i64, {std::ssize(vocabulary.hashes())}, vocabulary.hashes()),
      view_of("scale", DType::f32, {std::ssize(model.scale())}, std::span(model.scale())),
      view_of("weight", DType::f32, {weights.features(), weights.classes},
              std::span(weights.weights)),
      view_of("bias", DType::f32, {weights.classes}, std::span(weights.bias))};
  write_safetensors(path, tensors);
}

NgramBranch load_ngrams(const std::filesystem::path& path, const NgramConfig& config,
                        bool lowercase, std::int64_t classes) {
  const SafetensorsFile file = SafetensorsFile::read(path);
  const Tensor hash(path, file, "hash", DType::i64, 1);
  const Tensor scale(path, file, "scale", DType::f32, 1);
  const Tensor weight(path, file, "weight", DType::f32, 2);
  const Tensor bias(path, file, "bias", DType::f32, 1);
  const std::int64_t features = scale.size(0);
  if (hash.size(0) > features || weight.size(0) != features || weight.size(1) != classes ||
      bias.size(0) != classes)
    throw CheckpointError(fmt::format(
        "'{}' holds {} hashes, {} scales, weights [{}, {}] and {} biases; expected as many scales "
        "as weights, no more hashes, and {} classes.",
        path.string(), hash.size(0), features, weight.size(0), weight.size(1), bias.size(0),
        classes));
  try {
    return {
        NgramVocabulary(config, lowercase, hash.values<std::uint64_t>(), features - hash.size(0)),
        NgramModel(config.weighting, scale.values<float>(),
                   {classes, weight.values<float>(), bias.values<float>()})};
  } catch (const DataError& error) {
    throw CheckpointError(fmt::format("'{}': {}", path.string(), error.what()));
  }
}

}  // namespace diffuse
