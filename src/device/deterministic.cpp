#include "diffuse/device/deterministic.hpp"

#include <ATen/Context.h>
#include <c10/util/Exception.h>

#include <cstdlib>
#include <string>

namespace diffuse {
namespace {

/// LibTorch warns of an operation without such a form at each call, of each layer and update. The
/// start-up table says once that a run is not exact.
class OtherWarnings : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override {
    if (warning.msg().find("deterministic") == std::string::npos)
      c10::WarningHandler::process(warning);
  }
};

OtherWarnings other_warnings;

}  // namespace

void pin_product_workspace() { setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0); }

DeterministicScope::DeterministicScope(bool wanted) : wanted_(wanted) {
  if (!wanted) return;
  pin_product_workspace();
  at::Context& context = at::globalContext();
  was_deterministic_ = context.deterministicAlgorithms();
  warned_only_ = context.deterministicAlgorithmsWarnOnly();
  filled_ = context.deterministicFillUninitializedMemory();
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicFillUninitializedMemory(false);
  before_ = c10::WarningUtils::get_warning_handler();
  c10::WarningUtils::set_warning_handler(&other_warnings);
}

DeterministicScope::~DeterministicScope() {
  if (!wanted_) return;
  c10::WarningUtils::set_warning_handler(before_);
  at::Context& context = at::globalContext();
  context.setDeterministicFillUninitializedMemory(filled_);
  context.setDeterministicAlgorithms(was_deterministic_, warned_only_);
}

}  // namespace diffuse
