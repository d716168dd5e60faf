#pragma once

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty.h>

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/base/safetensors.hpp"
#include "diffuse/model/distilbert.hpp"
#include "diffuse/model/hugging_face_folder.hpp"
#include "diffuse/model/torchscript_classifier.hpp"
#include "support.hpp"
#include "support/message_of.hpp"
#include "support/test_data.hpp"

namespace diffuse::testing {

inline std::filesystem::path distilbert_folder() { return test_data() / "fixtures" / "distilbert"; }

/// Two layers, 16 wide, three classes: that of distilbert_folder().
inline DistilBertShape small_shape() {
  return {.vocab_size = 40,
          .dim = 16,
          .layers = 2,
          .heads = 2,
          .hidden_dim = 32,
          .max_positions = 24,
          .class_count = 3};
}

/// Weights of such a folder for a DistilBERT.
inline PretrainedReport load_distilbert(Classifier& classifier,
                                        const std::filesystem::path& folder = distilbert_folder()) {
  return load_pretrained(classifier, folder, "distilbert.");
}

/// A small classifier that was scripted in Python.
inline std::unique_ptr<TorchScriptClassifier> scripted() {
  return load_torchscript(distilbert_folder() / "scripted.pt", 3, 0);
}

/// What scripts/make_distilbert_fixture.py wrote: a batch, and what transformers computes for it.
class DistilBertReference {
 public:
  at::Tensor tensor(const std::string& name) const {
    const TensorView& view = file_.tensors().at(name);
    const at::Tensor tensor = at::empty(view.shape, view.dtype == DType::i64   ? at::kLong
                                                    : view.dtype == DType::i32 ? at::kInt
                                                                               : at::kFloat);
    std::memcpy(tensor.data_ptr(), view.bytes.data(), view.bytes.size());
    return tensor;
  }

  Batch batch() const { return batch_in(file_); }

 private:
  SafetensorsFile file_ = SafetensorsFile::read(distilbert_folder() / "reference.safetensors");
};

inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return a.detach().sub(b.detach()).abs().max().item<double>();
}

/// Ten steps of plain gradient descent in training; the loss of each.
inline std::vector<double> train_by_hand(Classifier& model, const Batch& batch, double rate) {
  std::vector<double> losses;
  const ForwardContext context = training_context(5);
  for (int step = 0; step < 10; ++step) {
    const at::Tensor loss = at::cross_entropy_loss(model.forward(batch, context), batch.labels);
    loss.backward();
    losses.push_back(loss.item<double>());
    const at::NoGradGuard no_grad;
    for (const NamedParameter& p : model.parameters()) {
      at::Tensor(p.tensor).sub_(p.tensor.grad(), rate);
      p.tensor.mutable_grad().reset();
    }
  }
  return losses;
}

}  // namespace diffuse::testing
