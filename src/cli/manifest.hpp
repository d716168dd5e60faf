#pragma once

#include <string>
#include <utility>
#include <vector>

#include "diffuse/config/config.hpp"

namespace diffuse::cli {

/// What a run was made of, besides its config.
struct RunFacts {
  std::vector<std::string> arguments;
  std::string start_time;  ///< UTC, ISO 8601
  std::string device;      ///< "cpu", "cuda:0"
  std::string device_description;
  int threads = 1;
  std::int64_t parameter_count = 0;
  std::vector<std::pair<std::string, std::string>> data_hashes;
};

/// The time now, UTC, as "2025-01-31T12:00:00Z".
std::string utc_now();

/// The text of `manifest.json`: versions, commit, device, threads, seed, arguments, the data's
/// XXH3-128 and the start.
std::string manifest_json(const RunFacts& facts, const Config& config);

}  // namespace diffuse::cli
