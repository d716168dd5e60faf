#pragma once

#include <filesystem>
#include <map>
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
  std::string precision;       ///< resolved
  std::string kernel;          ///< "fused", "operations", "reference"
  std::string instructions{};  ///< that the fused kernel runs on, "AVX2"; else empty
  int threads = 1;
  std::int64_t parameter_count = 0;
  std::int64_t memory_estimate_bytes = 0;
  std::vector<std::pair<std::string, std::string>> data_hashes;
};

/// The text of `manifest.json`: versions, commit, device, threads, seed, arguments, the data's
/// XXH3-128 and the start.
std::string manifest_json(const RunFacts& facts, const Config& config);

/// XXH3-128 of each data file by config key, as the manifest at `path` has them; empty where it is
/// missing or damaged.
std::map<std::string, std::string> manifest_data_hashes(const std::filesystem::path& path);

/// What to say of a fault where the run, by its manifest at `path`, is one of a newer program than
/// this; empty otherwise.
std::string newer_program_text(const std::filesystem::path& path);

/// The text of the manifest at `path` with a further entry in its list `resumed`. Throws UsageError
/// where a data file's hash is not the one of the beginning; warns where device, precision, kernel,
/// processor or LibTorch are others, or threads where the kernel depends on them, with which the
/// run is not the same to the bit.
std::string resumed_manifest_json(const std::filesystem::path& path, const RunFacts& facts,
                                  const Config& config);

}  // namespace diffuse::cli
