#include "selftest.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "diffuse/base/table.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/dispatched/operation_checks.hpp"
#include "diffuse/ops/dispatched/operation_speeds.hpp"
#include "exit_code.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace {

std::string checks_table(const std::vector<OperationCheck>& checks) {
  using Align = Table::Align;
  Table table({"operation", "type", "of", "error", "allowed", ""},
              {Align::left, Align::left, Align::left, Align::right, Align::right, Align::left});
  for (const OperationCheck& check : checks)
    table.add_row({check.operation, check.type, check.batch, fmt::format("{:.1e}", check.error),
                   fmt::format("{:.0e}", check.allowed), check.good() ? "good" : "WRONG"});
  return table.text();
}

/// On a GPU of a size that hides what a launch takes.
std::vector<OperationSpeed> speeds_on(at::Device device) {
  constexpr std::int64_t kDim = 256;
  return operation_speeds(device, device.is_cpu() ? 16'384 : 262'144, kDim);
}

std::string speeds_table(const std::vector<OperationSpeed>& speeds) {
  using Align = Table::Align;
  Table table({"operation", "time", "GB/s", "of a copy"},
              {Align::left, Align::right, Align::right, Align::right});
  for (const OperationSpeed& speed : speeds)
    table.add_row({speed.operation, fmt::format("{:.1f} us", speed.time_s * 1e6),
                   fmt::format("{:.1f}", speed.bytes_per_s / 1e9),
                   fmt::format("{:.0f} %", 100 * speed.of_copy)});
  return table.text();
}

nlohmann::ordered_json speeds_json(const std::vector<OperationSpeed>& speeds) {
  auto json = nlohmann::ordered_json::array();
  for (const OperationSpeed& speed : speeds)
    json.push_back({{"operation", speed.operation},
                    {"time_s", speed.time_s},
                    {"bytes_per_s", speed.bytes_per_s},
                    {"of_copy", speed.of_copy}});
  return json;
}

}  // namespace

CLI::App* setup_selftest(CLI::App& app, SelftestOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "selftest", "Compare this program's own operations on a device with LibTorch's");
  verb->add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->type_name("NAME");
  verb->add_flag("--speed", options.speed,
                 "Time the operations, too, on rows of 256 channels: 262,144 on a GPU, 16,384 on "
                 "the CPU");
  verb->add_flag("--json", options.json, "Print one JSON object");
  verb->footer("Examples:\n  diffuse selftest\n  diffuse selftest --device cuda --speed --json\n");
  return verb;
}

int run_selftest(const SelftestOptions& options) {
  const at::Device device = resolve_device(options.device);
  const std::vector<OperationCheck> checks = check_operations(device, CheckExtent::full);
  const auto wrong = std::ranges::count_if(checks, [](const auto& check) { return !check.good(); });
  if (options.json) {
    nlohmann::ordered_json json;
    json["device"] = device_description(device);
    json["wrong"] = wrong;
    for (const OperationCheck& check : checks)
      json["checks"].push_back({{"operation", check.operation},
                                {"type", check.type},
                                {"of", check.batch},
                                {"error", check.error},
                                {"allowed", check.allowed},
                                {"good", check.good()}});
    if (options.speed) json["speeds"] = speeds_json(speeds_on(device));
    write_output(json.dump(2) + "\n");
  } else {
    write_output(fmt::format("{}\n{} checks on {}: {}\n", checks_table(checks), checks.size(),
                             device_description(device),
                             wrong == 0 ? "all good" : fmt::format("{} wrong", wrong)));
    if (options.speed) write_output("\n" + speeds_table(speeds_on(device)));
  }
  return wrong == 0 ? kDone : kFailed;
}

}  // namespace diffuse::cli
