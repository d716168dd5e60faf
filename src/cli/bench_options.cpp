// The flags of `bench`.

#include <CLI/CLI.hpp>

#include "bench.hpp"
#include "bench_contenders.hpp"
#include "choices.hpp"
#include "diffuse/base/thread_limit.hpp"
#include "model_options.hpp"

namespace diffuse::cli {

CLI::App* setup_bench(CLI::App& app, BenchOptions& options) {
  CLI::App* verb = app.add_subcommand(
      "bench", "Compare speed and memory with other models: DistilBERT, Mamba, ..., or yours");
  const auto list = [&](const char* name, auto& values, const std::string& help, const char* text) {
    return verb->add_option(name, values, help)
        ->delimiter(',')
        ->allow_extra_args(false)
        ->option_text(text);
  };
  CLI::Option* config =
      verb->add_option("--config", options.config, "The model, by its config; with random weights")
          ->option_text("FILE=agnews-diffusion.json");
  CLI::Option* checkpoint =
      verb->add_option("--checkpoint", options.checkpoint, "The model, by a run or checkpoint")
          ->type_name("DIR")
          ->excludes(config);
  verb->add_option("--set", options.set, "Lay a value over the config; may be repeated")
      ->option_text("KEY=VALUE")
      ->allow_extra_args(false)
      ->excludes(checkpoint);
  CLI::Option* compare = list(
      "--compare", options.compare,
      "The other models. " + type_names(types_of({ModelFamily::bert}), "and") +
          " at their published sizes; " + type_names(types_of({ModelFamily::mixer})) +
          " as wide and deep as the model itself (model.dim, model.steps); a TorchScript file "
          "FILE.pt, whose forward takes input_ids and attention_mask; another config; or a run or "
          "checkpoint",
      "NAME|FILE.pt|CONFIG|DIR,...=distilbert");
  verb->add_option(
          "--pretrained", options.pretrained,
          "Hugging Face folder with the config.json, model.safetensors and vocab.txt of the " +
              type_names(types_of({ModelFamily::bert}), "or") +
              " compared with; without it its weights are random")
      ->type_name("DIR");
  list("--mode", options.modes, "What to measure", "train,inference")
      ->transform(
          one_of<BenchMode>({{"train", BenchMode::train}, {"inference", BenchMode::inference}}));
  list("--batch-size", options.batch_sizes, "Texts in a batch; by default also one text alone",
       "N,...=32")
      ->check(CLI::Range(1, 65536));
  CLI::Option* seq_len = list("--seq-len", options.seq_lens, "Tokens of each text", "N,...=64")
                             ->check(CLI::Range(1, 1 << 20));
  list("--precision", options.precisions,
       "What matrix products are computed in; by default what each model is fastest in, tried for "
       "each case",
       "fp32|tf32|bf16|fp16,...")
      ->transform(one_of<Precision>(precision_choices(true)));
  add_kernel_option(*verb, options.kernel);
  list("--device", options.devices, "Devices to run on", "NAME,...=auto");
  list("--threads", options.threads, "Threads of the CPU; 0 takes all cores", "N,...=0")
      ->check(CLI::Range(std::int64_t{0}, kMostThreads));
  verb->add_option("--data", options.data,
                   "Measure with these labelled texts at their real lengths, each model with its "
                   "own tokenizer")
      ->type_name("FILE")
      ->excludes(seq_len);
  verb->add_flag(
      "--sweep", options.sweep,
      "Lengths from 64 to 4,096, and of one text alone to 65,536; curves in --format html. Where "
      "a model cannot go on, its line ends with the reason");
  verb->add_option("--budget", options.budget_s,
                   "Seconds that one model may take in one case; what would take longer is not "
                   "run, and its estimate printed")
      ->check(CLI::PositiveNumber)
      ->option_text("SECONDS=60");
  verb->add_flag("--no-memory", options.no_memory, "Do not measure memory");
  verb->add_option("--format", options.format, "Of the report")
      ->transform(one_of<BenchFormat>({{"md", BenchFormat::md},
                                       {"csv", BenchFormat::csv},
                                       {"json", BenchFormat::json},
                                       {"html", BenchFormat::html}}))
      ->option_text("md|csv|json|html=md");
  verb->add_option("--from", options.from,
                   "Measure nothing: show a report that --format json wrote, in another --format")
      ->type_name("FILE.json")
      ->excludes(config)
      ->excludes(checkpoint)
      ->excludes(compare);
  verb->add_option("--output", options.output, "Write the report here instead of to stdout")
      ->type_name("FILE");
  // For our own processes.
  verb->add_flag("--memory-probe", options.memory_probe)->group("");
  verb->add_flag("--baseline-probe", options.baseline_probe)->group("");
  std::string all_known = type_names(models_known_by_name());
  std::erase(all_known, ' ');
  verb->footer(
      "The default takes one to two minutes on two cores.\n\n"
      "Examples:\n"
      "  diffuse bench --compare distilbert\n"
      "  diffuse bench --config paper.json --mode train --seq-len 64,128,256 --budget 300\n"
      "  diffuse bench --checkpoint runs/r8 --data data/r8/test.csv\n"
      "  diffuse bench --kernel reference --compare agnews-diffusion.json   (one model, both "
      "kernels)\n"
      "  diffuse bench --sweep --format html --output sweep.html\n"
      "  diffuse bench --compare " +
      all_known +
      " --sweep \\\n      --format json --output all.json\n"
      "  diffuse bench --from all.json --format html --output all.html\n");
  return verb;
}

}  // namespace diffuse::cli
