#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "diffuse/base/progress.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/eval/reach.hpp"

namespace diffuse {

std::string reach_report(const std::vector<ReachFigure>& figures,
                         std::optional<std::int64_t> farthest_pair) {
  using Align = Table::Align;
  Table table({"distance", "pairs", "one edit", "both, beyond the sum", "share"},
              {Align::right, Align::right, Align::right, Align::right, Align::right});
  for (const ReachFigure& figure : figures)
    table.add_row({format_count(figure.distance), format_count(figure.pairs),
                   fmt::format("{:.4f}", figure.change),
                   fmt::format("{:.4f} ± {:.4f}", figure.together, figure.together_error),
                   fmt::format("{:.1f} %", 100 * figure.share())});
  std::string text =
      "What replacing a token changes in the logits, and two at a distance together beyond what "
      "each changes:\n\n" +
      table.text();
  if (farthest_pair)
    text += fmt::format(
        "\nBy its steps and what it reads at once no state is made of two tokens that are more "
        "than {} apart, but by pooling and head.\n",
        format_count(*farthest_pair));
  return text;
}

std::string reach_json(const std::vector<ReachFigure>& figures,
                       std::optional<std::int64_t> farthest_pair) {
  nlohmann::ordered_json json;
  json["farthest_pair_tokens"] =
      farthest_pair ? nlohmann::ordered_json(*farthest_pair) : nlohmann::ordered_json();
  json["distances"] = nlohmann::ordered_json::array();
  for (const ReachFigure& figure : figures)
    json["distances"].push_back({{"distance_tokens", figure.distance},
                                 {"pairs", figure.pairs},
                                 {"change", figure.change},
                                 {"together", figure.together},
                                 {"together_standard_error", figure.together_error},
                                 {"share", figure.share()}});
  return json.dump(2);
}

}  // namespace diffuse
