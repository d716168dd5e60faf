#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "diffuse/model/checkpoint.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCalibrationFile = "calibration.json";

}  // namespace

void save_temperature(const fs::path& folder, double temperature) {
  const nlohmann::ordered_json json = {{"temperature", temperature}};
  write_file_atomically(folder / kCalibrationFile, json.dump(2) + "\n");
}

double read_temperature(const fs::path& folder) {
  const fs::path path = folder / kCalibrationFile;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return 1;  // of two branches, without validation rows, or older
  try {
    const nlohmann::json json = read_json_object(read_file(path), kCalibrationFile);
    const double temperature = JsonFields(json, kCalibrationFile).finite_number("temperature");
    if (temperature > 0) return temperature;
    throw DataError(fmt::format("{}: temperature is {}; expected a number above 0.",
                                kCalibrationFile, temperature));
  } catch (const Error& error) {
    throw CheckpointError(
        fmt::format("Checkpoint '{}' cannot be used. {}", folder.string(), error.what()));
  }
}

}  // namespace diffuse
