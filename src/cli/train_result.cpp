#include "train_result.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/text_util.hpp"
#include "diffuse/eval/report.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "evaluation.hpp"
#include "output.hpp"

namespace diffuse::cli {
namespace fs = std::filesystem;

std::string relative_if_shorter(const fs::path& path) {
  std::error_code error;
  const std::string relative = fs::proximate(path, error).string();
  return !error && !relative.empty() && relative.size() < path.string().size() ? relative
                                                                               : path.string();
}

Evaluation evaluate_checkpoint(const fs::path& folder, const DatasetView& view, at::Device device,
                               Precision precision, const std::string& what) {
  LoadedModel model = load_model(folder);
  model.classifier->to(device);
  EvaluationOptions options;
  options.class_count = model.labels.size();
  options.noise_seed = model.config.train.seed;
  options.precision = precision;
  return evaluate_with_progress(*model.classifier, view, options, what);
}

std::string training_summary_json(const TrainingResult& result, const TrainingData& data,
                                  const std::string& test, const fs::path& run_dir) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["test"] = test.empty() ? Json() : Json::parse(test);
  json["validation"] = Json();
  if (data.validation.size() > 0) {
    json["validation"] = {{"accuracy", result.best_accuracy},
                          {"rows", data.validation.size()},
                          {"update", result.best_update}};
  }
  json["updates"] = result.updates;
  json["stopped_early"] = result.stopped_early;
  json["training_time_s"] = result.training_time_s;
  json["run_directory"] = run_dir.string();
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string training_summary(const TrainingResult& result, const TrainingData& data,
                             const std::optional<Evaluation>& test, const fs::path& run_dir) {
  std::string text;
  if (test) text += "test " + accuracy_line(test->metrics) + "\n";
  if (data.validation.size() > 0) {
    text += fmt::format("validation accuracy  {:.2f} %  n = {}  at update {} of {}{}\n",
                        100 * result.best_accuracy,
                        format_count(static_cast<long long>(data.validation.size())),
                        format_count(result.best_update), format_count(result.updates),
                        result.stopped_early ? " (stopped early)" : "");
  }
  const std::string run = relative_if_shorter(run_dir);
  text += fmt::format("training time  {}\n", format_duration(result.training_time_s));
  text += fmt::format("run directory  {}\n", run);
  const std::string quoted = shell_quoted(run);
  text += "\nNext:\n";
  text += fmt::format("  diffuse eval --checkpoint {}{}\n", quoted, test ? "" : " --data FILE");
  text += fmt::format("  echo 'a text to classify' | diffuse predict --checkpoint {}\n", quoted);
  return text;
}

}  // namespace diffuse::cli
