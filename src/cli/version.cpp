#include "version.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "diffuse/base/build_info.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/device/device.hpp"
#include "exit_code.hpp"
#include "output.hpp"

namespace diffuse::cli {

CLI::App* setup_version(CLI::App& app, VersionOptions& options) {
  CLI::App* verb =
      app.add_subcommand("version", "Say what this program was built from and what it found");
  verb->add_flag("--json", options.json, "Print one JSON object");
  verb->footer("Examples:\n  diffuse version\n  diffuse version --json | jq -r .commit\n");
  return verb;
}

int run_version(const VersionOptions& options) {
  const BuildInfo& build = build_info();
  const RuntimeInfo found = runtime_info();
  nlohmann::ordered_json json;
  json["version"] = build.version;
  json["commit"] = build.commit;
  json["build_type"] = build.build_type;
  json["compiler"] = build.compiler;
  json["flags"] = build.flags;
  json["checks"] = build.checks;
  json["tests"] = build.tests;
  json["libtorch_compiled"] = build.libtorch_version;
  json["libtorch_found"] = found.libtorch_version;
  json["libtorch_folder"] = found.libtorch_folder;
  json["cuda_module"] = build.cuda_module;
  json["cuda_module_reason"] = build.cuda_reason;
  json["cuda"] = found.cuda;
  json["cores"] = available_cores();
  json["processor"] = cpu_model();
  if (options.json) {
    write_output(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
    return kDone;
  }
  // Both facts count: what the program was built from, and what it met on this machine.
  write_output(fmt::format(
      "diffuse {} (commit {})\n"
      "{}"
      "found here\n"
      "  LibTorch     {} in {}\n"
      "  CUDA         {}\n"
      "  Processor    {}, {} core{}\n",
      build.version, build.commit, build.summary, found.libtorch_version, found.libtorch_folder,
      found.cuda, cpu_model(), available_cores(), available_cores() == 1 ? "" : "s"));
  return kDone;
}

}  // namespace diffuse::cli
