#include "manifest.hpp"

#include <ctime>
#include <nlohmann/json.hpp>

#include "diffuse/base/build_info.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse::cli {

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {text, length};
}

std::string manifest_json(const RunFacts& facts, const Config& config) {
  const BuildInfo& build = build_info();
  nlohmann::ordered_json json;
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
  json["threads"] = facts.threads;
  json["seed"] = config.train.seed;
  json["parameter_count"] = facts.parameter_count;
  json["data_xxh3_128"] = nlohmann::ordered_json::object();
  for (const auto& [key, hash] : facts.data_hashes) json["data_xxh3_128"][key] = hash;
  // Arguments and paths are bytes; what is not UTF-8 among them must not stop a run.
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace diffuse::cli
