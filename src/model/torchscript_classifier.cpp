#include "diffuse/model/torchscript_classifier.hpp"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <new>
#include <string_view>

#include "default_generator.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/device/device.hpp"
#include "padded_batch.hpp"
#include "torchscript_impl.hpp"
#include "torchscript_parameters.hpp"

namespace diffuse {
namespace {

void check_signature(const torch::jit::Module& module) {
  const auto method = module.find_method("forward");
  if (!method) {
    throw Error(fmt::format("The TorchScript module has no method forward; expected {}.",
                            kTorchScriptSignature));
  }
  const c10::FunctionSchema& schema = method->function().getSchema();
  const std::vector<c10::Argument>& arguments = schema.arguments();  // self is the first
  bool good = arguments.size() >= 3;
  for (std::size_t i = 1; good && i < arguments.size(); ++i) {
    const c10::Argument& argument = arguments[i];
    good = i > 2 ? argument.default_value().has_value()
                 : !argument.kwarg_only() && c10::TensorType::get()->isSubtypeOf(*argument.type());
  }
  if (good) return;
  std::vector<std::string> given;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    given.push_back(
        fmt::format("{}: {}", arguments[i].name(), arguments[i].type()->annotation_str()));
  }
  throw Error(fmt::format("The TorchScript module has forward({}); expected {}.",
                          fmt::join(given, ", "), kTorchScriptSignature));
}

void check_types(const std::vector<NamedParameter>& parameters) {
  for (const NamedParameter& parameter : parameters) {
    if (parameter.tensor.scalar_type() == at::kFloat) continue;
    throw Error(
        fmt::format("The TorchScript module's parameter {} is {}; expected float32. Export "
                    "model.float(); half precision is chosen where the model runs.",
                    parameter.name, c10::toString(parameter.tensor.scalar_type())));
  }
}

/// The module's result as logits of `rows` texts.
at::Tensor logits_of(const c10::IValue& result, std::int64_t rows, std::int64_t class_count) {
  if (!result.isTensor()) {
    throw Error(
        fmt::format("The TorchScript module's forward gave {}; expected one tensor, logits [{}, "
                    "{}]. Export a module that returns the logits alone.",
                    result.type()->annotation_str(), rows, class_count));
  }
  const at::Tensor logits = result.toTensor();
  if (logits.dim() != 2 || logits.size(0) != rows || logits.size(1) != class_count ||
      !logits.is_floating_point()) {
    throw Error(
        fmt::format("The TorchScript module's forward gave {} numbers of shape [{}] for {} text{} "
                    "and {} classes; expected logits [{}, {}].",
                    logits.is_floating_point() ? "floating" : "whole",
                    fmt::join(logits.sizes().begin(), logits.sizes().end(), ", "), rows,
                    rows == 1 ? "" : "s", class_count, rows, class_count));
  }
  return logits.to(at::kFloat);
}

/// The interpreter gives every failure the same type; a lack of memory keeps its own here, which
/// callers look for.
[[noreturn]] void rethrow(const std::exception& error) {
  const std::string reason = torchscript_reason(error);
  const c10::OutOfMemoryError memory({__func__, __FILE__, __LINE__}, reason);
  const bool lacks_memory =
      std::string_view(error.what()).find("out of memory") != std::string_view::npos ||
      reason.find("allocate memory") != std::string::npos ||
      reason.find("has no block of") != std::string::npos ||  // src/device/allocator.cpp
      reason.find("not enough memory") != std::string::npos;
  if (lacks_memory) throw memory;
  throw Error(fmt::format("The TorchScript module failed: {}.", reason));
}

}  // namespace

TorchScriptClassifier::TorchScriptClassifier(torch::jit::Module module,
                                             const TorchScriptShape& shape)
    : impl_(std::make_unique<Impl>()) {
  if (shape.class_count < 1 || shape.pad_id < 0 || shape.max_tokens < 0) {
    throw Error(fmt::format(
        "A TorchScript classifier of {} classes, padding token {} and at most {} tokens: expected "
        "at least one class and no negative number.",
        shape.class_count, shape.pad_id, shape.max_tokens));
  }
  check_signature(module);
  impl_->module = std::move(module);
  impl_->shape = shape;
  impl_->has_unpadded = impl_->module.find_method(kUnpaddedMethod).has_value();
  impl_->has_linears = HalfLinears::are_in(impl_->module);
  impl_->parameters = trained_parameters(impl_->module);
  check_types(impl_->parameters);
  if (!impl_->parameters.empty()) impl_->device = impl_->parameters.front().tensor.device();
}

TorchScriptClassifier::~TorchScriptClassifier() = default;

void TorchScriptClassifier::Impl::set_training(bool on) {
  if (training == on) return;
  half.clear();
  module.train(on);
  training = on;
}

const torch::jit::Module& TorchScriptClassifier::Impl::to_run() {
  const at::DeviceType type = device.type();
  if (!has_linears || training.value_or(true) || at::GradMode::is_enabled() ||
      !at::autocast::is_autocast_enabled(type))
    return module;
  return half.of(module, at::autocast::get_autocast_dtype(type));
}

at::Tensor TorchScriptClassifier::forward(const Batch& batch, const ForwardContext& context) {
  check_offsets(batch);
  const std::int64_t longest = longest_text(batch);
  if (max_tokens() > 0 && longest > max_tokens()) {
    throw UserError(
        fmt::format("A text has {} tokens, the model takes {} at most; set tokenizer.max_tokens to "
                    "{} or less.",
                    longest, max_tokens(), max_tokens()));
  }
  if (context.training && !context.generator.defined()) {
    throw Error("A forward pass in training needs a generator.");
  }
  impl_->set_training(context.training);
  const PaddedBatch padded = pad_batch(batch, impl_->shape.pad_id);
  c10::IValue result;
  try {
    // Interpreted as it stands. The optimizer learns in the first calls with every new length, the
    // first of them seven times as long, keeps a plan for each, and gains nothing measurable
    // (DistilBERT, 8 texts of 64 on two cores, fp32); and what a call computes to the last bit, its
    // random numbers included, must not hang on the calls before it, or a resumed training would
    // go on differently.
    const torch::jit::GraphOptimizerEnabledGuard not_optimized(false);
    const DefaultGeneratorFrom random(context.generator, device());
    torch::jit::Module module = impl_->to_run();
    if (!padded.padded && impl_->has_unpadded) {
      result = module.get_method(kUnpaddedMethod)({padded.input_ids});
    } else {
      result = module.forward({padded.input_ids, padded.attention_mask});
    }
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    rethrow(error);
  }
  return logits_of(result, batch.size(), class_count());
}

std::vector<NamedParameter> TorchScriptClassifier::parameters() const { return impl_->parameters; }

void TorchScriptClassifier::to(at::Device device) {
  const at::NoGradGuard no_grad;
  for (const NamedParameter& parameter : impl_->parameters) {
    parameter.tensor.mutable_grad().reset();
  }
  impl_->half.clear();
  // The module gives each tensor new data: handles to it stay good.
  impl_->module.to(device);
  impl_->device = impl_->parameters.empty() ? device : impl_->parameters.front().tensor.device();
}

at::Device TorchScriptClassifier::device() const { return impl_->device; }

std::int64_t TorchScriptClassifier::class_count() const { return impl_->shape.class_count; }

std::int64_t TorchScriptClassifier::max_tokens() const { return impl_->shape.max_tokens; }

}  // namespace diffuse
