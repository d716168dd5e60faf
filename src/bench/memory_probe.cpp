#include "diffuse/bench/memory_probe.hpp"

#include <c10/util/Exception.h>
#include <fmt/core.h>

#include <csignal>
#include <new>
#include <nlohmann/json.hpp>

#include "base/json_fields.hpp"
#include "base/json_reader.hpp"
#include "diffuse/base/child_process.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/system.hpp"
#include "diffuse/config/load.hpp"
#include "diffuse/device/device.hpp"

namespace diffuse {
namespace {

constexpr const char* kPlace = "memory task";
constexpr std::uint64_t kTextSeed = 1;

std::string task_json(const MemoryTask& task) {
  nlohmann::ordered_json json;
  json["contender"] = nlohmann::ordered_json::parse(task.spec.to_json());
  json["train"] = task.mode == BenchMode::train;
  json["precision"] = enum_name(task.precision);
  json["device"] = task.device;
  json["threads"] = task.threads;
  json["batch_size"] = task.batch_size;
  json["seq_len"] = task.seq_len;
  json["lengths"] = task.lengths;
  return json.dump();
}

MemoryTask parse_task(const std::string& text) {
  const auto json = read_json_object(text, kPlace);
  const JsonFields fields(json, kPlace);
  fields.object("contender");  // that there is one
  MemoryTask task;
  task.spec = ContenderSpec::from_json(json["contender"].dump(), kPlace);
  task.mode = fields.flag("train") ? BenchMode::train : BenchMode::inference;
  const std::string precision = fields.text("precision");
  for (const Precision known :
       {Precision::fp32, Precision::tf32, Precision::bf16, Precision::fp16}) {
    if (enum_name(known) == precision) task.precision = known;
  }
  task.device = fields.text("device");
  task.threads = static_cast<int>(fields.count("threads"));
  task.batch_size = fields.count("batch_size");
  task.seq_len = fields.count("seq_len");
  task.lengths = fields.counts("lengths");
  return task;
}

PackedRows rows_of(const MemoryTask& task) {
  if (task.lengths.empty())
    return synthetic_workload(task.spec.shape, task.batch_size, task.seq_len, kTextSeed)
        .batches.front();
  std::vector<std::int32_t> tokens;
  std::vector<std::int32_t> offsets = {0};
  for (const std::int64_t length : task.lengths) {
    const Workload text = synthetic_workload(task.spec.shape, 1, length, kTextSeed);
    const std::span<const std::int32_t> own = text.batches.front().tokens();
    tokens.insert(tokens.end(), own.begin(), own.end());
    offsets.push_back(static_cast<std::int32_t>(tokens.size()));
  }
  return {tokens, offsets, std::vector<std::int64_t>(task.lengths.size())};
}

std::string out_of_memory_answer(const std::string& what) {
  return nlohmann::json{{"out_of_memory", what}}.dump();
}

std::string measure(const MemoryTask& task) {
  const at::Device device = resolve_device(task.device);
  set_thread_count(task.threads);
  const PackedRows rows = rows_of(task);
  reset_peak_rss();  // or that of starting up counts, which is below that of any model
  const std::int64_t before = current_rss_bytes();
  reset_peak_memory(device);
  Contender contender(task.spec, device);
  contender.prepare(task.mode, task.precision);
  const Batch batch = make_batch(rows, device);
  for (int call = 0; call < 2; ++call) contender.run(batch);
  const DeviceMemory memory = device_memory(device);
  return nlohmann::json{{"rss_growth_bytes", peak_rss_bytes() - before},
                        {"allocated_bytes", memory.allocated_peak_bytes},
                        {"reserved_bytes", memory.reserved_peak_bytes}}
      .dump();
}

}  // namespace

MemoryFigures probe_memory(const MemoryTask& task) {
  const ChildOutcome outcome =
      run_child(own_program(), {"--quiet", "bench", "--memory-probe"}, task_json(task));
  MemoryFigures figures;
  if (outcome.signal == SIGKILL) {
    figures.out_of_memory = "the system killed the process";
    return figures;
  }
  const auto json = nlohmann::json::parse(outcome.out, nullptr, /*allow_exceptions=*/false);
  if (outcome.exit_code != 0 || !json.is_object())
    throw SystemError(fmt::format("The process that measures memory failed ({} {}).",
                                  outcome.signal != 0 ? "signal" : "exit code",
                                  outcome.signal != 0 ? outcome.signal : outcome.exit_code));
  const JsonFields fields(json, "memory answer");
  if (json.contains("out_of_memory")) {
    figures.out_of_memory = fields.text("out_of_memory");
    return figures;
  }
  figures.rss_growth_bytes = fields.count("rss_growth_bytes");
  figures.allocated_bytes = fields.count("allocated_bytes");
  figures.reserved_bytes = fields.count("reserved_bytes");
  return figures;
}

std::string answer_memory_task(const std::string& text) {
  const MemoryTask task = parse_task(text);
  try {
    return measure(task);
  } catch (const c10::Error& error) {
    if (!is_out_of_memory(error)) throw;
    return out_of_memory_answer(memory_request(error));
  } catch (const std::bad_alloc&) {
    return out_of_memory_answer("the system gave no more");
  }
}

}  // namespace diffuse
