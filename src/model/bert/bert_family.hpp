#pragma once

#include <string>

#include "model/model_descriptions.hpp"

namespace diffuse {

/// What BERT and DistilBERT have in common: the sizes of their layers are keys of one kind, of the
/// section of their name.
class BertFamilyDescription : public ModelDescription {
 public:
  std::int64_t product_width(const Config& config) const override;
  std::int64_t longest_text(const Config& config) const override;
  void set_longest_text(Config& config, std::int64_t tokens) const override;
  std::optional<double> forward_flops(const Config& config, std::int64_t class_count,
                                      std::span<const std::int64_t> lengths) const override;
  KeptBytes kept_bytes(const Config& config, bool half, bool own_operations) const override;
  std::string pretrained(const Config& config) const override;
  void set_pretrained(Config& config, const std::string& folder) const override;
  void take_pretrained_sizes(Config& config) const override;
  void load_pretrained(Classifier& classifier, const Config& config) const override;

 protected:
  virtual ModelType type() const = 0;
  virtual BertFamilyConfig& section(Config& config) const = 0;
  const BertFamilyConfig& section(const Config& config) const {
    return section(const_cast<Config&>(config));  // which it does not change
  }
  /// "dim 768, 6 layers, 512 positions".
  static std::string sizes_text(const BertFamilyConfig& model);
};

}  // namespace diffuse
