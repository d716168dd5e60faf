#pragma once

#include <string>
#include <string_view>

namespace c10 {
class Error;
}

namespace diffuse {

/// What a failure of a GPU comes to.
enum class GpuFailure {
  none,           ///< of no GPU, or of no kind that is known
  out_of_memory,  ///< others may hold the memory
  lost,           ///< by a fault of it, its driver or a kernel: this process cannot use it again
  busy,           ///< it takes no further process
  old_driver,     ///< older than LibTorch's CUDA
  other_kind,     ///< no kernel was compiled for its compute capability
};

/// The kind of failure that CUDA or LibTorch tell of in `text`.
GpuFailure gpu_failure(std::string_view text);

/// Of a text that says that a GPU's memory ran out: how much was free, of how much, and what was
/// asked for, where the text tells, as sentences.
std::string gpu_memory_request(std::string_view text);

/// For the user, in finished sentences: what happened to the GPU, with CUDA's own words, what that
/// means and what to do. Empty where gpu_failure finds none.
std::string explained_gpu_failure(std::string_view text);

/// The same of any error of LibTorch, for which it has at least its own words, without their
/// source positions.
std::string explained(const c10::Error& error);

/// From now on a failure that no catch can reach is logged (explained) before the program exits
/// with 1: where a GPU is lost, a destructor that gives something back to it may throw.
void explain_terminations();

/// What to try where memory ran out.
inline constexpr const char* kMemoryAdvice =
    "Try a smaller train.batch_size, model.dim or tokenizer.max_tokens (in training) or a smaller "
    "--batch-size (in eval and predict).";

}  // namespace diffuse
