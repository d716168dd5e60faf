#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "diffuse/data/text_pieces.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// A classifier whose logits of a text that is longer than `rule` allows are the mean of its
/// pieces' (tokenizer.long_texts = pool). Training gives it pieces already (train/batch_loader),
/// each with a loss of its own, so that all kernels train the same.
class PiecewiseClassifier final : public Classifier {
 public:
  PiecewiseClassifier(std::unique_ptr<Classifier> inner, const PieceRule& rule)
      : inner_(std::move(inner)), rule_(rule) {}

  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  std::vector<std::vector<std::int32_t>> embedding_rows(const Batch& batch) const override;

  const Classifier& whole_text_classifier() const override {
    return inner_->whole_text_classifier();
  }
  std::vector<NamedParameter> parameters() const override { return inner_->parameters(); }
  void to(at::Device device) override { inner_->to(device); }
  at::Device device() const override { return inner_->device(); }
  void use_kernel(Kernel kernel, Precision precision) override {
    inner_->use_kernel(kernel, precision);
  }
  Kernel kernel() const override { return inner_->kernel(); }
  bool is_recordable() const override { return inner_->is_recordable(); }
  std::optional<PassFigures> train_pass(const Batch& batch, const ForwardContext& context,
                                        const PassOptions& options) override {
    return inner_->train_pass(batch, context, options);
  }
  std::vector<RowGradient> row_gradients() override { return inner_->row_gradients(); }
  bool is_small(const Batch& batch) const override { return inner_->is_small(batch); }
  std::int64_t constant_count() const override { return inner_->constant_count(); }
  std::int64_t work_per_token() const override { return inner_->work_per_token(); }
  bool random_at_evaluation() const override { return inner_->random_at_evaluation(); }

 private:
  std::unique_ptr<Classifier> inner_;
  PieceRule rule_;
};

}  // namespace diffuse
