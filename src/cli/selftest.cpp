#include "selftest.hpp"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "diffuse/base/table.hpp"
#include "diffuse/device/device.hpp"
#include "diffuse/ops/dispatched/operation_checks.hpp"
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

}  // namespace

CLI::App* setup_selftest(CLI::App& app, SelftestOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "selftest", "Compare this program's own operations on a device with LibTorch's");
  verb->add_option("--device", options.device, "auto, cpu, cuda or cuda:N")->type_name("NAME");
  verb->add_flag("--json", options.json, "Print one JSON object");
  verb->footer("Examples:\n  diffuse selftest\n  diffuse selftest --device cuda --json\n");
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
    write_output(json.dump(2) + "\n");
  } else {
    write_output(fmt::format("{}\n{} checks on {}: {}\n", checks_table(checks), checks.size(),
                             device_description(device),
                             wrong == 0 ? "all good" : fmt::format("{} wrong", wrong)));
  }
  return wrong == 0 ? kDone : kFailed;
}

}  // namespace diffuse::cli
