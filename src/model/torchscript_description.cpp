#include "diffuse/model/torchscript_classifier.hpp"
#include "model_descriptions.hpp"

namespace diffuse {
namespace {

/// Somebody's module, of which only the signature is known.
class TorchScriptDescription final : public ModelDescription {
 public:
  std::string_view title() const override { return "TorchScript module"; }
  std::string summary(const Config&) const override { return "TorchScript module"; }
  std::unique_ptr<Classifier> make(const Config& config, const ModelShape& shape,
                                   FreshTensors&) const override {
    return load_torchscript(config.model.file, shape.class_count, shape.pad_id);
  }
  bool is_countable() const override { return false; }
  std::int64_t product_width(const Config&) const override { return 0; }
  std::string kernel_name(const Config&, Kernel, at::Device, Precision) const override {
    return "TorchScript";
  }
  std::optional<double> forward_flops(const Config&, std::int64_t,
                                      std::span<const std::int64_t>) const override {
    return std::nullopt;
  }
  KeptBytes kept_bytes(const Config&, bool, bool) const override { return {}; }
};

}  // namespace

const ModelDescription& torchscript_description() {
  static const TorchScriptDescription description;
  return description;
}

}  // namespace diffuse
