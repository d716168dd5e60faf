#include "ngram_branch.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBranchesFile = "branches.json";

double factor(const JsonFields& fields, const char* key) {
  const double value = fields.finite_number(key);
  if (value < 0)
    throw DataError(
        fmt::format("{}: {} is {}; expected a number of at least 0.", kBranchesFile, key, value));
  return value;
}

}  // namespace

void save_ngram_branch(const fs::path& folder, const NgramsContent& content) {
  const TrainedNgrams& trained = content.trained;
  std::error_code failed;
  bool shared = false;
  if (!content.same_file.empty()) {
    fs::create_hard_link(content.same_file, folder / kNgramsFile, failed);
    shared = !failed;
  }
  if (!shared) save_ngrams(folder / kNgramsFile, content.vocabulary, trained.model);
  save_branch_factors(folder, trained, content.factors);
}

void save_branch_factors(const fs::path& folder, const TrainedNgrams& trained,
                         const BranchFactors& factors) {
  const nlohmann::ordered_json json = {{"network_factor", factors.network},
                                       {"ngram_factor", factors.ngrams},
                                       {"start_factor", trained.factors.ngrams},
                                       {"training_time_s", trained.time_s}};
  write_file_atomically(folder / kBranchesFile, json.dump(2) + "\n");
}

LoadedNgrams load_ngram_branch(const fs::path& folder, const Config& config, std::int64_t classes) {
  NgramBranch branch =
      load_ngrams(folder / kNgramsFile, config.ngrams, config.tokenizer.lowercase, classes);
  const fs::path path = folder / kBranchesFile;
  try {
    const nlohmann::json json = read_json_object(read_file(path), kBranchesFile);
    const JsonFields fields(json, kBranchesFile);
    return {.vocabulary = std::move(branch.vocabulary),
            .trained = {.model = std::move(branch.model),
                        .factors = {1, factor(fields, "start_factor")},
                        .factor_is_set = config.ngrams.factor > 0,
                        .time_s = factor(fields, "training_time_s")},
            .factors = {factor(fields, "network_factor"), factor(fields, "ngram_factor")}};
  } catch (const Error& error) {
    throw CheckpointError(
        fmt::format("Checkpoint '{}' cannot be used. {}", folder.string(), error.what()));
  }
}

}  // namespace diffuse
