#include "launch_count.hpp"

#include <ATen/record_function.h>

#include <atomic>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace diffuse {
namespace {

/// Of the operations that LibTorch's profiler sees, those without a kernel.
bool computes(std::string_view name) {
  static const std::unordered_set<std::string_view> kWithout = {"aten::empty",
                                                                "aten::empty_like",
                                                                "aten::empty_strided",
                                                                "aten::new_empty",
                                                                "aten::view",
                                                                "aten::as_strided",
                                                                "aten::t",
                                                                "aten::transpose",
                                                                "aten::expand",
                                                                "aten::slice",
                                                                "aten::select",
                                                                "aten::narrow",
                                                                "aten::squeeze",
                                                                "aten::unsqueeze",
                                                                "aten::detach",
                                                                "detach",
                                                                "aten::alias",
                                                                "aten::reshape",
                                                                "aten::_unsafe_view",
                                                                "aten::resize_",
                                                                "aten::unbind",
                                                                "aten::split",
                                                                "aten::chunk",
                                                                "aten::permute",
                                                                "aten::set_",
                                                                "aten::item",
                                                                "aten::contiguous",
                                                                "aten::to",
                                                                "aten::unflatten",
                                                                "aten::result_type",
                                                                "aten::view_as",
                                                                "aten::expand_as",
                                                                "aten::is_nonzero",
                                                                "aten::resolve_conj",
                                                                "aten::_local_scalar_dense",
                                                                "aten::lift_fresh",
                                                                "aten::numpy_T",
                                                                "aten::_reshape_alias",
                                                                "aten::flatten",
                                                                "aten::split_with_sizes",
                                                                "aten::diagonal",
                                                                "aten::unfold"};
  return (name.starts_with("aten::") || name.starts_with("diffuse::")) && !kWithout.contains(name);
}

/// Of those that the CPU makes of others, what is one launch on a GPU.
bool is_one(std::string_view name) {
  return name == "aten::addmm" || name == "aten::mm" || name.starts_with("aten::_foreach_") ||
         name.starts_with("aten::_fused_");
}

/// An operation that has begun.
struct Begun {
  bool is_one = false;
  bool made_of_others = false;
};

std::atomic<std::int64_t> launches = 0;
thread_local std::vector<Begun> begun;
thread_local int inside_one = 0;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  begun.push_back({.is_one = is_one(function.name())});
  if (begun.back().is_one) ++inside_one;
  return nullptr;
}

void end(const at::RecordFunction& function, at::ObserverContext*) {
  const Begun own = begun.back();
  begun.pop_back();
  if (own.is_one) --inside_one;
  const bool counts = inside_one == 0 && !own.made_of_others && computes(function.name());
  if (counts) ++launches;
  if ((counts || own.made_of_others) && !begun.empty()) begun.back().made_of_others = true;
}

}  // namespace

std::int64_t count_launches(const std::function<void()>& work) {
  launches = 0;
  const at::CallbackHandle handle = at::addGlobalCallback(
      at::RecordFunctionCallback(begin, end).scopes({at::RecordScope::FUNCTION}));
  work();
  at::removeCallback(handle);
  return launches;
}

}  // namespace diffuse
