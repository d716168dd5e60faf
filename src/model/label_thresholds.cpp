#include "diffuse/model/label_thresholds.hpp"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/text_util.hpp"

namespace diffuse {

std::string thresholds_json(std::span<const float> thresholds, const Labels& labels) {
  nlohmann::ordered_json json;
  for (std::size_t c = 0; c < thresholds.size(); ++c) json[labels.names()[c]] = thresholds[c];
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<float> parse_thresholds(const std::string& text, const Labels& labels,
                                    const std::string& place) {
  const nlohmann::json json = read_json_object(text, place);
  std::vector<float> thresholds;
  for (const std::string& name : labels.names()) {
    const auto found = json.find(name);
    const bool sound = found != json.end() && found->is_number() && found->get<double>() >= 0 &&
                       found->get<double>() <= 1;
    if (!sound)
      throw DataError(
          fmt::format("{}: the label \"{}\" has no threshold; expected a number from 0 "
                      "to 1.",
                      place, printable(name)));
    thresholds.push_back(found->get<float>());
  }
  return thresholds;
}

}  // namespace diffuse
