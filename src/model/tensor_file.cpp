// Named tensors in a safetensors file: save_tensors and load_tensors of checkpoint.hpp.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "tensor_file.hpp"

namespace diffuse {
namespace {

struct TypePair {
  at::ScalarType torch;
  DType file;
};

constexpr TypePair kTypes[] = {{at::kFloat, DType::f32}, {at::kDouble, DType::f64},
                               {at::kHalf, DType::f16},  {at::kBFloat16, DType::bf16},
                               {at::kLong, DType::i64},  {at::kInt, DType::i32},
                               {at::kByte, DType::u8}};

DType file_type(const std::string& name, at::ScalarType type) {
  for (const TypePair& pair : kTypes) {
    if (pair.torch == type) return pair.file;
  }
  throw Error(fmt::format("Tensor {}: its element type has no place in a safetensors file.", name));
}

/// A file may give a tensor any number of dimensions.
std::string shape_text(at::IntArrayRef shape) {
  constexpr std::size_t kShown = 8;
  const at::IntArrayRef first = shape.slice(0, std::min(shape.size(), kShown));
  return fmt::format("[{}{}]", fmt::join(first.begin(), first.end(), ", "),
                     shape.size() > kShown ? ", …" : "");
}

/// The bytes of a matrix, a block of its rows after the other.
struct RowBytes {
  RowSource source;
  std::int64_t rows;
  std::int64_t width;
  std::int64_t done = 0;
  std::vector<float> block{};

  std::span<const std::byte> operator()() {
    constexpr std::int64_t kBlockFloats = std::int64_t{1} << 15;
    const std::int64_t end = std::min(
        rows, done + std::max<std::int64_t>(kBlockFloats / std::max(width, std::int64_t{1}), 1));
    block.resize(static_cast<std::size_t>((end - done) * width));
    source(done, end, block.data());
    done = end;
    return std::as_bytes(std::span(block));
  }
};

}  // namespace

std::string shown_tensor(std::string_view name) {
  constexpr std::size_t kLongest = 120;
  return printable(name, kLongest);
}

std::string listed_faults(const std::vector<std::string>& faults) {
  constexpr std::size_t kShown = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(faults.size(), kShown); ++i) text += "\n  " + faults[i];
  if (faults.size() > kShown) text += fmt::format("\n  and {} more", faults.size() - kShown);
  return text;
}

std::string described(const at::Tensor& target) {
  return fmt::format("{} {}", dtype_name(file_type("target", target.scalar_type())),
                     shape_text(target.sizes()));
}

std::optional<std::string> mismatch(const TensorView& view, const at::Tensor& target) {
  const DType wanted = file_type(view.name, target.scalar_type());
  const bool same_shape = target.sizes() == at::IntArrayRef(view.shape);
  if (same_shape && view.dtype == wanted) return std::nullopt;
  return fmt::format("{}: {} {}, expected {}", shown_tensor(view.name), dtype_name(view.dtype),
                     shape_text(view.shape), described(target));
}

void copy_into(const at::Tensor& target, const TensorView& view) {
  if (view.bytes.empty()) return;
  if (target.is_cpu() && target.is_contiguous()) {
    std::memcpy(target.data_ptr(), view.bytes.data(), view.bytes.size());
    target.unsafeGetTensorImpl()->bump_version();
    return;
  }
  // By way of a tensor of its own: nothing says that the bytes in the file are aligned.
  const at::Tensor host = at::empty(target.sizes(), target.scalar_type());
  std::memcpy(host.data_ptr(), view.bytes.data(), view.bytes.size());
  const at::NoGradGuard no_grad;
  at::Tensor(target).copy_(host);
}

void save_tensors(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  std::vector<SavedTensor> saved;
  for (const auto& [name, tensor] : tensors) saved.push_back({name, tensor});
  save_tensors(path, saved);
}

void save_tensors(const std::filesystem::path& path, const std::vector<SavedTensor>& tensors) {
  std::vector<at::Tensor> held;  // the views' memory
  std::vector<TensorView> views;
  held.reserve(tensors.size());
  for (const auto& [name, tensor, rows] : tensors) {
    views.push_back({name, file_type(name, tensor.scalar_type()), tensor.sizes().vec(), {}});
    if (rows) {
      views.back().next = RowBytes{rows, tensor.size(0), tensor.size(1)};
      continue;
    }
    held.push_back(tensor.detach().cpu().contiguous());
    const at::Tensor& host = held.back();
    views.back().bytes = {static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()};
  }
  // PyTorch's readers ask for this entry.
  write_safetensors(path, views, {{"format", "pt"}});
}

void load_tensors(const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& targets) {
  load_tensors(SafetensorsFile::read(path), path, targets);
}

void load_tensors(const SafetensorsFile& file, const std::filesystem::path& path,
                  const std::vector<std::pair<std::string, at::Tensor>>& targets) {
  std::vector<std::string> faults;
  for (const auto& [name, target] : targets) {
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) {
      faults.push_back(
          fmt::format("{}: missing, expected {}", shown_tensor(name), described(target)));
    } else if (const auto fault = mismatch(found->second, target)) {
      faults.push_back(*fault);
    }
  }
  for (const auto& [name, view] : file.tensors()) {
    const auto is_it = [&name = name](const auto& target) { return target.first == name; };
    if (std::none_of(targets.begin(), targets.end(), is_it)) {
      faults.push_back(fmt::format("{}: unexpected, {} {}", shown_tensor(name),
                                   dtype_name(view.dtype), shape_text(view.shape)));
    }
  }
  if (!faults.empty()) {
    throw CheckpointError(
        fmt::format("'{}' does not hold the tensors that the checkpoint's other files call for; "
                    "take all files of one checkpoint:{}",
                    path.string(), listed_faults(faults)));
  }

  for (const auto& [name, target] : targets) copy_into(target, file.tensors().at(name));
}

}  // namespace diffuse
