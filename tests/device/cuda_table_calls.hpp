#pragma once

#include <array>
#include <functional>
#include <string>

#include "device/cuda_table.hpp"

namespace diffuse::cuda {

/// A function of the table with a call of it on the first device.
struct TableCall {
  std::string name;
  bool is_there;
  std::function<void()> call;
};

/// Every function of `table`.
inline auto table_calls(const Table& table) {
  // A new member of the table does not compile here until it has a name...
  const auto& [version, libtorch_version, device_count, device_name, versions, computes_bf16,
               make_generator, synchronize, memory, reset_peak_memory, free_memory, run_apart,
               record] = table;
  static_cast<void>(version);
  static_cast<void>(libtorch_version);
  const auto entry = [](std::string name, auto function, auto... arguments) {
    return TableCall{std::move(name), function != nullptr,
                     [=] { static_cast<void>(function(arguments...)); }};
  };
  const std::function<void()> nothing = [] {};
  const std::array calls = {entry("device_count", device_count),
                            entry("device_name", device_name, 0),
                            entry("versions", versions),
                            entry("computes_bf16", computes_bf16, 0),
                            entry("make_generator", make_generator, 0, std::uint64_t{1}),
                            entry("synchronize", synchronize, 0),
                            entry("memory", memory, 0),
                            entry("reset_peak_memory", reset_peak_memory, 0),
                            entry("free_memory", free_memory, 0),
                            entry("run_apart", run_apart, 0, nothing),
                            entry("record", record, 0, nothing)};
  // ...and here until it has a call: all members but the two versions, each as large as a pointer.
  static_assert(sizeof(Table) == (calls.size() + 2) * sizeof(void*));
  return calls;
}

}  // namespace diffuse::cuda
