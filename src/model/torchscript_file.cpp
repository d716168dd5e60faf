// A TorchScript classifier in a `.pt` file.

#include <ATen/core/grad_mode.h>
#include <fmt/core.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <span>

#include "base/file_io.hpp"
#include "diffuse/base/error.hpp"
#include "torchscript_impl.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

torch::jit::Module read_module(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) {
    throw CheckpointError(
        fmt::format("There is no file '{}'; expected a TorchScript model, written by "
                    "torch.jit.script or torch.jit.trace and save in Python.",
                    path.string()));
  }
  try {
    // Onto the CPU, also what was saved from a GPU; Module::to moves it on. Loading straight onto a
    // GPU would move a traced module's sizes there as well, and each use of one would wait for the
    // device.
    return torch::jit::load(path.string(), at::kCPU);
  } catch (const std::exception& error) {
    const std::string reason = torchscript_reason(error);
    throw CheckpointError(
        fmt::format("'{}' is no TorchScript model ({}). Write it in Python by torch.jit.script or "
                    "torch.jit.trace and save; a state_dict or what torch.save wrote needs Python.",
                    path.string(), reason.substr(0, reason.find(". "))));
  }
}

std::int64_t max_tokens_of(const torch::jit::Module& module) {
  if (!module.hasattr(kMaxTokensAttribute)) return 0;
  const c10::IValue value = module.attr(kMaxTokensAttribute);
  return value.isInt() ? std::max<std::int64_t>(0, value.toInt()) : 0;
}

/// Tries the module on two batches that differ in both sizes, because a trace may have those of its
/// example fixed in it.
void probe(TorchScriptClassifier& classifier, std::int64_t pad_id) {
  const std::int64_t most = classifier.max_tokens() > 0 ? classifier.max_tokens() : 5;
  const at::NoGradGuard no_grad;
  for (const std::vector<std::int64_t>& lengths :
       {std::vector<std::int64_t>{5, 3}, std::vector<std::int64_t>{2, 3, 4}}) {
    std::vector<std::int32_t> offsets = {0};
    for (const std::int64_t length : lengths)
      offsets.push_back(offsets.back() + static_cast<std::int32_t>(std::min(length, most)));
    const std::vector<std::int32_t> tokens(static_cast<std::size_t>(offsets.back()),
                                           static_cast<std::int32_t>(pad_id));
    const std::vector<std::int64_t> labels(lengths.size());
    classifier.forward(make_batch(PackedRows(tokens, offsets, labels), at::kCPU), {});
  }
}

}  // namespace

std::unique_ptr<TorchScriptClassifier> load_torchscript(const fs::path& path,
                                                        std::int64_t class_count,
                                                        std::int64_t pad_id) {
  torch::jit::Module module = read_module(path);
  const TorchScriptShape shape = {class_count, pad_id, max_tokens_of(module)};
  const char* when = "";
  try {
    auto classifier = std::make_unique<TorchScriptClassifier>(std::move(module), shape);
    when = ", tried on 2 and 3 texts";
    probe(*classifier, pad_id);
    return classifier;
  } catch (const Error& error) {
    throw CheckpointError(fmt::format("'{}' cannot be used as a classifier of {} classes{}. {}",
                                      path.string(), class_count, when, error.what()));
  }
}

void TorchScriptClassifier::save(const fs::path& path) const {
  impl_->set_training(false);
  const torch::jit::Module host =
      impl_->device.is_cpu() ? impl_->module : impl_->module.deepcopy(at::kCPU);
  AtomicFile file(path);
  torch::jit::ExportModule(host, [&file](const void* bytes, std::size_t size) {
    file.write({static_cast<const std::byte*>(bytes), size});
    return size;
  });
  file.commit();
}

}  // namespace diffuse
