#pragma once

namespace c10 {
class WarningHandler;
}

namespace diffuse {

/// Gives cuBLAS a workspace of one size, 8 times 4 MiB, unless CUBLAS_WORKSPACE_CONFIG is set: how
/// a product's sum is cut, and so its last bits, may depend on how much room there is. Whatever
/// kernel a training has, its products are LibTorch's, which promise equal bytes only so. cuBLAS
/// and LibTorch read it when a product is first made on a device, so before that; harmless without
/// one.
void pin_product_workspace();

/// While it lives LibTorch takes, of operations that it has in several forms, those that add in one
/// order, if `wanted`; where it has none it goes on with what it has, without a warning at each
/// call. Memory that is only asked for is not filled, as LibTorch else does then: nothing of ours
/// reads it.
class DeterministicScope {
 public:
  explicit DeterministicScope(bool wanted);
  ~DeterministicScope();
  DeterministicScope(const DeterministicScope&) = delete;
  DeterministicScope& operator=(const DeterministicScope&) = delete;

 private:
  bool wanted_;
  bool was_deterministic_ = false;
  bool warned_only_ = false;
  bool filled_ = false;
  c10::WarningHandler* before_ = nullptr;
};

}  // namespace diffuse
