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
                                                                "aten::lift_fresh",
                                                                "aten::numpy_T",
                                                                "aten::_reshape_alias",
                                                                "aten::flatten",
                                                                "aten::split_with_sizes",
                                                                "aten::diagonal",
                                                                "aten::unfold"};
  return (name.starts_with("aten::") || name.starts_with("diffuse::")) && !kWithout.contains(name);
}

std::atomic<std::int64_t> launches = 0;
/// Whether an operation on this level called another that computes.
thread_local std::vector<bool> made_of_others;

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  made_of_others.push_back(false);
  return nullptr;
}

void end(const at::RecordFunction& function, at::ObserverContext*) {
  const bool composite = made_of_others.back();
  made_of_others.pop_back();
  const bool own = !composite && computes(function.name());
  if (own) ++launches;
  if ((own || composite) && !made_of_others.empty()) made_of_others.back() = true;
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
