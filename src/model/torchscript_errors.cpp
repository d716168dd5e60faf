#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <string_view>

#include "torchscript_impl.hpp"

namespace diffuse {
namespace {

std::string full_text(const std::exception& error) {
  if (const auto* torch_error = dynamic_cast<const c10::Error*>(&error)) {
    return torch_error->what_without_backtrace();
  }
  // What the module itself raised.
  const auto* raised = dynamic_cast<const torch::jit::JITException*>(&error);
  if (raised != nullptr && raised->getOriginalMsg()) return *raised->getOriginalMsg();
  return error.what();
}

}  // namespace

std::string torchscript_reason(const std::exception& error) {
  std::string text = full_text(error);
  // The interpreter writes where it was, line by line, and the reason after that.
  constexpr std::string_view kReason = "RuntimeError: ";
  if (const std::size_t found = text.rfind(kReason); found != std::string::npos) {
    text = text.substr(found + kReason.size());
  }
  text.erase(0, std::min(text.size(), text.find_first_not_of(" \n\t")));
  text.erase(std::min(text.size(), text.find('\n')));
  text.erase(text.find_last_not_of(" .:\t") + 1);
  return text;
}

}  // namespace diffuse
