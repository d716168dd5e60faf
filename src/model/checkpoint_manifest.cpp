#include "diffuse/model/checkpoint_manifest.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/build_info.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/base/hash.hpp"
#include "diffuse/base/log.hpp"
#include "diffuse/data/byte_source.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kManifestFile = "manifest.json";
constexpr const char* kChecksums = "xxh3_128";
/// Raised when what a checkpoint's files hold no longer means what older programs take it for.
constexpr std::int64_t kFormat = 1;
/// May be deleted: it tells which texts were trained on.
constexpr std::string_view kTextsOfTraining = "texts.bin";
constexpr std::string_view kTrainingFiles[] = {"optimizer.safetensors", "state.json"};

using Checksums = std::map<std::string, std::string>;  // of each file, by its name

std::string id_of(const Checksums& checksums) {
  Hasher hasher;
  for (const auto& [name, checksum] : checksums) hasher.update(name + "\n" + checksum + "\n");
  return hasher.hex();
}

struct Manifest {
  CheckpointOrigin origin;
  Checksums checksums;
};

/// Throws DataError for a damaged manifest, CheckpointError for one of a newer format.
Manifest read_manifest(const fs::path& path) {
  const nlohmann::json json = read_json_object(read_file(path), std::string(kManifestFile));
  const JsonFields fields(json, std::string(kManifestFile));
  const JsonFields program = fields.object("diffuse");
  Manifest manifest;
  manifest.origin = {fields.text("id"), program.text("version"), program.text("commit")};
  if (const std::int64_t format = fields.count("format"); format > kFormat) {
    const std::string advice = manifest.origin.advice();
    throw CheckpointError(fmt::format(
        "Checkpoint '{}' is in format {}, of which this program knows up to {}.{}",
        path.parent_path().string(), format, kFormat,
        advice.empty() ? " A newer version of diffuse wrote it; take that one." : advice));
  }
  fields.object(kChecksums);  // that it is one
  for (const auto& [name, checksum] : json[kChecksums].items()) {
    // Whoever wrote this, no file outside the folder is read.
    if (!checksum.is_string() || name != fs::path(name).filename() || name == "..")
      throw DataError(fmt::format("{}: {} does not list files.", kManifestFile, kChecksums));
    manifest.checksums.emplace(name, checksum.get<std::string>());
  }
  if (id_of(manifest.checksums) != manifest.origin.id)
    throw DataError(fmt::format("{}: the id is not that of its checksums.", kManifestFile));
  return manifest;
}

bool is_needed(const std::string& name, CheckpointUse use) {
  return use == CheckpointUse::training ||
         std::find(std::begin(kTrainingFiles), std::end(kTrainingFiles), name) ==
             std::end(kTrainingFiles);
}

}  // namespace

std::string CheckpointOrigin::advice() const {
  const BuildInfo& ours = build_info();
  if (version.empty() || (version == ours.version && commit == ours.commit)) return "";
  const std::string written =
      fmt::format(" It was written by diffuse {} ({}); this is diffuse {} ({}), ", version, commit,
                  ours.version, ours.commit);
  if (is_newer_version(version))
    return fmt::format("{}which is older: install {} or newer.", written, version);
  return written + (version == ours.version ? "another build: take that one."
                                            : "which is newer: take that one, or train anew.");
}

void write_checkpoint_manifest(const fs::path& folder) {
  Checksums checksums;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_regular_file() && name != kManifestFile)
      checksums.emplace(name, hash_file(entry.path()));
  }
  nlohmann::ordered_json json;
  json["format"] = kFormat;
  json["diffuse"] = {{"version", build_info().version}, {"commit", build_info().commit}};
  json["id"] = id_of(checksums);
  json[kChecksums] = checksums;
  write_file_atomically(folder / kManifestFile, json.dump(2) + "\n");
}

CheckpointOrigin check_checkpoint(const fs::path& folder, CheckpointUse use) {
  const fs::path path = folder / kManifestFile;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    log::info("Checkpoint '{}' has no {}: whether its files are whole is not checked.",
              folder.string(), kManifestFile);
    return {};
  }
  Manifest manifest;
  try {
    manifest = read_manifest(path);
  } catch (const DataError& error) {
    throw CheckpointError(fmt::format("Checkpoint '{}' is damaged. {} Copy the whole folder again.",
                                      folder.string(), error.what()));
  }
  std::vector<std::string> missing;
  std::vector<std::string> changed;
  for (const auto& [name, checksum] : manifest.checksums) {
    if (!is_needed(name, use)) continue;
    if (!fs::is_regular_file(folder / name, ignored)) {
      if (name != kTextsOfTraining) missing.push_back(name);
    } else if (hash_file(folder / name) != checksum) {
      changed.push_back(name);
    }
  }
  if (!missing.empty()) {
    throw CheckpointError(
        fmt::format("Checkpoint '{}' lacks {}. Copy the whole folder again, or take another one.",
                    folder.string(), fmt::join(missing, ", ")));
  }
  if (!changed.empty()) {
    throw CheckpointError(fmt::format(
        "Checkpoint '{}': not as training wrote it, by its checksum: {}. The file is damaged, of "
        "another checkpoint, or was changed. Copy the whole folder again, or take another one; "
        "where the change is meant, delete {}, and nothing is checked.",
        folder.string(), fmt::join(changed, ", "), kManifestFile));
  }
  log::debug("Checkpoint '{}': id {}, written by diffuse {} ({}).", folder.string(),
             manifest.origin.id, manifest.origin.version, manifest.origin.commit);
  return manifest.origin;
}

}  // namespace diffuse
