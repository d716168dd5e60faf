#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/ngrams/ngram_model.hpp"
#include "diffuse/ngrams/prune_ngrams.hpp"

namespace diffuse {
namespace {

template <class T>
TensorView view_of(std::string name, DType dtype, std::vector<std::int64_t> shape,
                   std::span<const T> values) {
  return {std::move(name), dtype, std::move(shape), std::as_bytes(values)};
}

constexpr float kMostSteps = 127;
constexpr float kMiddle = 128;  // the byte of a weight of 0

/// The upper half of a float, rounded to the nearest.
std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

float from_bfloat16(std::uint16_t upper) {
  return std::bit_cast<float>(std::uint32_t{upper} << 16);
}

/// A tensor of the file, checked.
class Tensor {
 public:
  Tensor(const std::filesystem::path& path, const SafetensorsFile& file, const std::string& name,
         DType dtype, std::size_t dimensions)
      : path_(path) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end() || found->second.dtype != dtype ||
        found->second.shape.size() != dimensions)
      throw CheckpointError(fmt::format("'{}' has no tensor \"{}\" of type {} with {} dimension{}.",
                                        path.string(), name, dtype_name(dtype), dimensions,
                                        dimensions == 1 ? "" : "s"));
    view_ = &found->second;
  }

  std::int64_t size(std::size_t dimension) const { return view_->shape[dimension]; }
  /// Of float32 or bfloat16. Throws CheckpointError for one that is not finite.
  std::vector<float> floats() const {
    std::vector<float> floats;
    if (view_->dtype == DType::f32) {
      floats = values<float>();
    } else {
      for (const std::uint16_t upper : values<std::uint16_t>())
        floats.push_back(from_bfloat16(upper));
    }
    if (!std::ranges::all_of(floats, [](float value) { return std::isfinite(value); }))
      throw CheckpointError(
          fmt::format("'{}': the tensor \"{}\" holds a number that is not finite.", path_.string(),
                      view_->name));
    return floats;
  }
  template <class T>
  std::vector<T> values() const {
    std::vector<T> values(view_->bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), view_->bytes.data(), view_->bytes.size());
    return values;
  }

 private:
  const std::filesystem::path& path_;
  const TensorView* view_ = nullptr;
};

/// Whether its weights are bytes.
bool holds_bytes(const SafetensorsFile& file) {
  const auto found = file.tensors().find("weight");
  return found != file.tensors().end() && found->second.dtype == DType::u8;
}

/// The bytes of `weight`, [V, C], by the steps [V] of the file.
std::vector<float> weights_of_bytes(const std::filesystem::path& path, const SafetensorsFile& file,
                                    const Tensor& weight) {
  const Tensor step(path, file, "step", DType::bf16, 1);
  if (step.size(0) != weight.size(0))
    throw CheckpointError(
        fmt::format("'{}' holds {} steps for the weights of {} n-grams; expected "
                    "one each.",
                    path.string(), step.size(0), weight.size(0)));
  const std::vector<float> steps = step.floats();
  const std::vector<std::uint8_t> bytes = weight.values<std::uint8_t>();
  const auto classes = static_cast<std::size_t>(weight.size(1));
  std::vector<float> weights(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i)
    weights[i] = steps[i / classes] * (static_cast<float>(bytes[i]) - kMiddle);
  return weights;
}

/// Appends the weights of an n-gram as bytes, and their step.
void add_bytes(std::span<const float> weights, std::vector<std::uint8_t>& bytes,
               std::vector<std::uint16_t>& steps) {
  float largest = 0;
  for (const float weight : weights) largest = std::max(largest, std::abs(weight));
  steps.push_back(to_bfloat16(largest / kMostSteps));
  const float step = from_bfloat16(steps.back());
  for (const float weight : weights) {
    const float count =
        step > 0 ? std::clamp(std::round(weight / step), -kMostSteps, kMostSteps) : 0;
    bytes.push_back(static_cast<std::uint8_t>(count + kMiddle));
  }
}

}  // namespace

void save_ngrams_in_bytes(const std::filesystem::path& path, const NgramVocabulary& vocabulary,
                          const NgramModel& model) {
  const LinearWeights& weights = model.weights();
  const auto classes = static_cast<std::size_t>(weights.classes);
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint16_t> steps;
  std::vector<std::uint16_t> scale;
  for (std::size_t v = 0; v < model.scale().size(); ++v) {
    scale.push_back(to_bfloat16(model.scale()[v]));
    add_bytes(std::span(weights.weights).subspan(v * classes, classes), bytes, steps);
  }
  const std::array<TensorView, 5> tensors = {
      view_of("hash", DType::i64, {std::ssize(vocabulary.hashes())}, vocabulary.hashes()),
      view_of("scale", DType::bf16, {std::ssize(scale)}, std::span<const std::uint16_t>(scale)),
      view_of("weight", DType::u8, {weights.features(), weights.classes},
              std::span<const std::uint8_t>(bytes)),
      view_of("step", DType::bf16, {std::ssize(steps)}, std::span<const std::uint16_t>(steps)),
      view_of("bias", DType::f32, {weights.classes}, std::span(weights.bias))};
  write_safetensors(path, tensors);
}

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
  const bool bytes = holds_bytes(file);
  const Tensor scale(path, file, "scale", bytes ? DType::bf16 : DType::f32, 1);
  const Tensor weight(path, file, "weight", bytes ? DType::u8 : DType::f32, 2);
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
        NgramModel(config.weighting, scale.floats(),
                   {classes, bytes ? weights_of_bytes(path, file, weight) : weight.floats(),
                    bias.floats()})};
  } catch (const DataError& error) {
    throw CheckpointError(fmt::format("'{}': {}", path.string(), error.what()));
  }
}

}  // namespace diffuse
