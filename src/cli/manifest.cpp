#include "manifest.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <string_view>

#include "diffuse/base/build_info.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse::cli {
namespace {

using Json = nlohmann::ordered_json;

Json manifest(const RunFacts& facts, const Config& config) {
  const BuildInfo& build = build_info();
  Json json;
  json["diffuse"] = {{"version", build.version},
                     {"commit", build.commit},
                     {"build_type", build.build_type},
                     {"compiler", build.compiler}};
  const RuntimeInfo runtime = runtime_info();
  json["libtorch"] = {{"compiled", build.libtorch_version}, {"found", runtime.libtorch_version}};
  json["cuda"] = runtime.cuda;
  json["start_time"] = facts.start_time;
  json["arguments"] = facts.arguments;
  json["device"] = facts.device;
  json["device_description"] = facts.device_description;
  json["processor"] = cpu_model();
  json["precision"] = facts.precision;
  json["kernel"] = facts.kernel;
  if (!facts.instructions.empty()) json["instructions"] = facts.instructions;
  json["threads"] = facts.threads;
  json["seed"] = config.train.seed;
  json["parameter_count"] = facts.parameter_count;
  json["memory_estimate_bytes"] = facts.memory_estimate_bytes;
  json["data_xxh3_128"] = Json::object();
  for (const auto& [key, hash] : facts.data_hashes) json["data_xxh3_128"][key] = hash;
  return json;
}

std::string text_of(const Json& json) {
  // Arguments and paths are bytes; what is not UTF-8 among them must not stop a run.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

/// Null where it is missing or damaged.
Json read_manifest(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return {};
  Json json = Json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json();
}

void check_data(const Json& before, const Json& now) {
  std::string changed;
  for (const auto& [key, hash] : now.at("data_xxh3_128").items()) {
    const auto old = before.find("data_xxh3_128");
    if (old == before.end() || !old->is_object() || !old->contains(key) || old->at(key) == hash)
      continue;
    changed += fmt::format("{}{}", changed.empty() ? "" : ", ", key);
  }
  if (changed.empty()) return;
  throw UsageError(fmt::format(
      "The content of {} is not what the run began with. Restore it, name the file that has it "
      "(--train, --validation, --test), or start a new run.",
      changed));
}

void warn_of_changes(const Json& before, const Json& now) {
  std::string changes;
  for (const char* key : {"device_description", "processor", "precision", "kernel", "instructions",
                          "threads", "libtorch"}) {
    if (!before.contains(key) || !now.contains(key) || before.at(key) == now.at(key)) continue;
    // Of a CPU that tells the threads alone, which have a key of their own.
    if (key == std::string_view("device_description") && now.at("device") == "cpu" &&
        before.contains("device") && before.at("device") == "cpu")
      continue;
    // The fused kernel's bytes do not depend on them.
    if (key == std::string_view("threads") && now.at("kernel") == "fused") continue;
    changes += fmt::format("{}{}: {} instead of {}", changes.empty() ? "" : ", ", key,
                           now.at(key).dump(), before.at(key).dump());
  }
  if (changes.empty()) return;
  log::warning("The run began elsewhere ({}): it goes on, but not to the bit.", changes);
}

}  // namespace

std::string manifest_json(const RunFacts& facts, const Config& config) {
  return text_of(manifest(facts, config));
}

std::map<std::string, std::string> manifest_data_hashes(const std::filesystem::path& path) {
  std::map<std::string, std::string> hashes;
  const Json json = read_manifest(path);
  const auto stored = json.find("data_xxh3_128");
  if (stored == json.end() || !stored->is_object()) return hashes;
  for (const auto& [key, hash] : stored->items()) {
    if (hash.is_string()) hashes[key] = hash.get<std::string>();
  }
  return hashes;
}

std::string newer_program_text(const std::filesystem::path& path) {
  const Json json = read_manifest(path);
  const Json version = json.value(Json::json_pointer("/diffuse/version"), Json());
  if (!version.is_string()) return "";
  const std::string theirs = version.get<std::string>();
  if (!is_newer_version(theirs)) return "";
  return fmt::format(
      "The run was made by diffuse {}, which is newer than this program, {}: go on "
      "with that version.",
      printable(theirs), build_info().version);
}

std::string resumed_manifest_json(const std::filesystem::path& path, const RunFacts& facts,
                                  const Config& config) {
  Json before = read_manifest(path);
  const Json now = manifest(facts, config);
  if (!before.is_object()) {
    log::warning("{}: missing or damaged; that the data is still the same could not be checked.",
                 path.string());
    return text_of(now);
  }
  check_data(before, now);
  warn_of_changes(before, now);
  Json& resumed = before["resumed"];
  if (!resumed.is_array()) resumed = Json::array();
  Json entry = now;
  entry.erase("data_xxh3_128");
  entry.erase("parameter_count");
  resumed.push_back(std::move(entry));
  return text_of(before);
}

}  // namespace diffuse::cli
