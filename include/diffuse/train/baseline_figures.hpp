#pragma once

#include <cstdint>
#include <string>

namespace diffuse {

/// What training another model on the run's own rows takes, measured by a process of its own.
struct BaselineFigures {
  std::string model;  ///< "DistilBERT"
  std::string precision;
  double epoch_time_s = 0;  ///< of a pass over the training rows, from the steps that were timed
  std::int64_t peak_memory_bytes = 0;  ///< resident memory of the process; on CUDA by tensors
  std::int64_t batch_size = 0;         ///< the run's, or less where that would have taken too long
  std::int64_t steps = 0;              ///< timed
};

}  // namespace diffuse
