#include "bert_family.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "diffuse/base/log.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/model/hugging_face_folder.hpp"
#include "model/tensor_file.hpp"

namespace diffuse {
namespace {

/// At most 20 of the names, and how many more.
std::string shown_tensors(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i)
    shown.push_back(shown_tensor(names[i]));
  if (names.size() > kShown) shown.push_back(fmt::format("and {} more", names.size() - kShown));
  return join(shown, ", ");
}

}  // namespace

std::int64_t BertFamilyDescription::product_width(const Config& config) const {
  return section(config).dim;
}

std::int64_t BertFamilyDescription::longest_text(const Config& config) const {
  return section(config).max_positions;
}

void BertFamilyDescription::set_longest_text(Config& config, std::int64_t tokens) const {
  section(config).max_positions = tokens;
}

std::optional<double> BertFamilyDescription::forward_flops(
    const Config& config, std::int64_t class_count, std::span<const std::int64_t> lengths) const {
  const BertFamilyConfig& model = section(config);
  const double token =
      4 * linear_flops(model.dim, model.dim) + 2 * linear_flops(model.dim, model.hidden_dim);
  double total = 0;
  for (const std::int64_t length : lengths) {
    const auto tokens = static_cast<double>(length);
    // Every token against every other: the weights, and the sum by them.
    const double attention = 4 * tokens * tokens * static_cast<double>(model.dim);
    total += static_cast<double>(model.layers) * (tokens * token + attention);
    // Of the first token: DistilBERT's first layer of the head, BERT's pooler; and the last layer.
    total += linear_flops(model.dim, model.dim) + linear_flops(model.dim, class_count);
  }
  return total;
}

KeptBytes BertFamilyDescription::kept_bytes(const Config& config, bool half, bool) const {
  constexpr std::int64_t kFloatBytes = 4;
  const std::int64_t product_bytes = half ? 2 : kFloatBytes;
  const BertFamilyConfig& model = section(config);
  // Rows of dim that a layer keeps: the input, q, k, v, the attention's output, and for each of
  // two dropouts, sums and norms a few more; of the hidden layer the product and its GELU.
  const std::int64_t layer = 8 * model.dim * kFloatBytes + 8 * model.dim * product_bytes +
                             3 * model.hidden_dim * product_bytes;
  // Scores, their softmax and dropout (measured on a CPU: 4 GB more than without for 32 texts of
  // 512, 14 GB for one of 4,096).
  constexpr double kBytesAPair = 2.5 * kFloatBytes;
  return {.a_token = model.layers * layer,
          .a_pair = static_cast<double>(model.layers * model.heads) * kBytesAPair};
}

std::string BertFamilyDescription::pretrained(const Config& config) const {
  return section(config).pretrained;
}

void BertFamilyDescription::set_pretrained(Config& config, const std::string& folder) const {
  section(config).pretrained = folder;
}

std::string BertFamilyDescription::sizes_text(const BertFamilyConfig& model) {
  return fmt::format("dim {}, {} layers, {} positions", model.dim, model.layers,
                     model.max_positions);
}

void BertFamilyDescription::take_pretrained_sizes(Config& config) const {
  BertFamilyConfig& own = section(config);
  const std::string folder = own.pretrained;
  own = read_bert_folder(folder, type()).sizes;
  check_pretrained_weights(folder);  // before memory is taken for these sizes
  own.pretrained = folder;
}

void BertFamilyDescription::load_pretrained(Classifier& classifier, const Config& config) const {
  const std::string& folder = section(config).pretrained;
  const std::string body = std::string(enum_name(type())) + ".";
  const PretrainedReport report = diffuse::load_pretrained(classifier, folder, body);
  log::info("{}: {} tensors loaded", folder, report.loaded);
  if (!report.missing.empty()) log::info("freshly initialised: {}", shown_tensors(report.missing));
  if (!report.unexpected.empty()) log::info("not used: {}", shown_tensors(report.unexpected));
}

}  // namespace diffuse
