#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/model/classifier.hpp"

namespace torch::jit {
struct Module;
}

namespace diffuse {

/// What a TorchScript module does not tell about itself.
struct TorchScriptShape {
  std::int64_t class_count = 0;
  std::int64_t pad_id = 0;      ///< the token that fills up shorter texts; they are masked out
  std::int64_t max_tokens = 0;  ///< longest text that the module takes; 0: unknown
};

/// A classifier whose computation is a TorchScript module, `forward(input_ids int64[B, L],
/// attention_mask int64[B, L]) -> logits[B, C]`, mask 1 at tokens and 0 at padding. Batches come
/// packed and are padded to the longest text of the batch.
///
/// A module may also have `forward_unpadded(input_ids)`, which is then called for a batch of texts
/// of one length, and an int attribute `max_tokens`.
class TorchScriptClassifier final : public Classifier {
 public:
  /// Keeps a handle to `module`, which must be on one device. Every parameter of a floating type
  /// is trained; a frozen module has none. Throws Error where the module has no such forward or
  /// such a parameter is not float32.
  TorchScriptClassifier(torch::jit::Module module, const TorchScriptShape& shape);
  ~TorchScriptClassifier() override;
  TorchScriptClassifier(const TorchScriptClassifier&) = delete;
  TorchScriptClassifier& operator=(const TorchScriptClassifier&) = delete;

  /// Logits, float32 `[B, C]`. Throws UserError where a text is longer than max_tokens(), Error
  /// where the module fails or gives anything else than logits, c10::OutOfMemoryError where it
  /// lacks memory. In training all random numbers come from the context's generator.
  at::Tensor forward(const Batch& batch, const ForwardContext& context) override;
  /// In the module's order, a tensor registered twice once. What belongs to an embedding by the
  /// type or the name of its module has ParameterRole::embedding, other tensors are matrices from
  /// two dimensions on.
  std::vector<NamedParameter> parameters() const override;
  /// Moves the module in place: what parameters() gave before stays the module's, without
  /// gradients.
  void to(at::Device device) override;
  at::Device device() const override;

  std::int64_t class_count() const;
  /// The longest text that the module takes, in tokens; 0 where that is not known.
  std::int64_t max_tokens() const;

  /// Writes the module as a `.pt` file, atomically; load_torchscript and Python's torch.jit.load
  /// read it. Its tensors are saved from the CPU. Throws SystemError if writing fails.
  void save(const std::filesystem::path& path) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Reads a `.pt` file written by `torch.jit.script` or `torch.jit.trace` and `save` in Python, or
/// by TorchScriptClassifier::save, onto the CPU, and tries it on two small batches of `pad_id`.
/// Throws CheckpointError where the file is missing or no TorchScript file, or where its forward
/// is absent, takes other arguments, fails or gives anything but `class_count` logits a text.
/// The file is a program: TorchScript runs it. Load only what you would run.
std::unique_ptr<TorchScriptClassifier> load_torchscript(const std::filesystem::path& path,
                                                        std::int64_t class_count,
                                                        std::int64_t pad_id);

}  // namespace diffuse
