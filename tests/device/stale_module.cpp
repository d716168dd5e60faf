// A module left over from a build with another layout of the table.
#include "device/cuda_table.hpp"

extern "C" const diffuse::cuda::Table* diffuse_cuda_table() {
  static const diffuse::cuda::Table table{.version = diffuse::cuda::kTableVersion + 1};
  return &table;
}
