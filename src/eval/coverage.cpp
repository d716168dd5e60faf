#include "diffuse/eval/coverage.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/json_reader.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/base/statistics.hpp"
#include "diffuse/base/table.hpp"
#include "diffuse/eval/metrics.hpp"

namespace diffuse {
namespace {

constexpr std::size_t kFewRows = 20;

}  // namespace

std::vector<CoveragePoint> coverage_curve(std::span<const float> probabilities,
                                          std::span<const std::int32_t> gold, std::int64_t classes,
                                          std::size_t most) {
  const std::vector<std::int32_t> answers = predicted_classes(probabilities, classes);
  const auto width = static_cast<std::size_t>(classes);
  std::vector<Answered> rows(gold.size());
  for (std::size_t row = 0; row < rows.size(); ++row)
    rows[row] = {probabilities[row * width + static_cast<std::size_t>(answers[row])],
                 answers[row] == gold[row]};
  return coverage_curve(rows, most);
}

std::vector<CoveragePoint> coverage_curve(std::span<const Answered> answered, std::size_t most) {
  if (answered.empty()) throw Error("coverage_curve: there are no rows.");
  const auto confidence = [&](std::size_t row) { return answered[row].confidence; };
  std::vector<std::size_t> order(answered.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return confidence(a) != confidence(b) ? confidence(a) > confidence(b) : a < b;
  });
  const std::size_t stride = std::max<std::size_t>((order.size() + most - 1) / most, 1);
  std::vector<CoveragePoint> curve;
  std::size_t right = 0;
  std::size_t last = 0;  // rows of the last point
  for (std::size_t i = 0; i < order.size(); ++i) {
    right += answered[order[i]].right ? 1 : 0;
    const std::size_t rows = i + 1;
    const bool at_end = rows == order.size();
    const bool parts = at_end || confidence(order[i + 1]) < confidence(order[i]);
    if (!at_end && (!parts || rows < kFewRows || rows - last < stride)) continue;
    last = rows;
    curve.push_back({static_cast<double>(confidence(order[i])),
                     static_cast<double>(rows) / static_cast<double>(order.size()),
                     static_cast<double>(right) / static_cast<double>(rows)});
  }
  return curve;
}

std::optional<PromisedPoint> point_of(const Coverage& coverage, double accuracy) {
  std::optional<PromisedPoint> found;
  const auto is_better = [&](const PromisedPoint& point) {
    if (!found) return true;
    const bool promised = point.least >= accuracy;
    if (promised != (found->least >= accuracy)) return promised;
    return promised ? point.point.coverage > found->point.coverage : point.least > found->least;
  };
  for (const CoveragePoint& point : coverage.points) {
    if (point.accuracy < accuracy) continue;
    const std::int64_t answered = std::llround(point.coverage * static_cast<double>(coverage.rows));
    const std::int64_t right = std::llround(point.accuracy * static_cast<double>(answered));
    const PromisedPoint promised{point, wilson_interval(right, answered, kOneSided95).low};
    if (is_better(promised)) found = promised;
  }
  return found;
}

std::vector<CoveragePoint> points_at_shares(std::span<const CoveragePoint> curve) {
  constexpr std::array kShares = {1.0, 0.95, 0.9, 0.8, 0.7, 0.5};
  std::vector<CoveragePoint> points;
  for (const double share : kShares) {
    const auto nearest = std::min_element(
        curve.begin(), curve.end(), [&](const CoveragePoint& a, const CoveragePoint& b) {
          return std::abs(a.coverage - share) < std::abs(b.coverage - share);
        });
    if (nearest == curve.end()) continue;
    if (points.empty() || nearest->coverage < points.back().coverage) points.push_back(*nearest);
  }
  return points;
}

std::string coverage_table(std::span<const CoveragePoint> curve) {
  using Align = Table::Align;
  Table table({"answered", "accuracy", "confidence from"},
              {Align::right, Align::right, Align::right});
  for (const CoveragePoint& point : points_at_shares(curve))
    table.add_row({fmt::format("{:.1f} %", 100 * point.coverage),
                   fmt::format("{:.2f} %", 100 * point.accuracy),
                   fmt::format("{:.4f}", point.threshold)});
  return table.text();
}

std::string coverage_json(std::span<const CoveragePoint> curve, std::int64_t rows) {
  nlohmann::ordered_json json;
  json["rows"] = rows;
  json["points"] = nlohmann::ordered_json::array();
  for (const CoveragePoint& point : curve)
    json["points"].push_back({point.threshold, point.coverage, point.accuracy});
  return json.dump() + "\n";
}

Coverage parse_coverage(const std::string& text, const std::string& place) {
  const nlohmann::json json = read_json_object(text, place);
  const auto rows = json.find("rows");
  if (rows == json.end() || !rows->is_number_integer() || rows->get<std::int64_t>() < 1)
    throw DataError(fmt::format("{}: rows is no whole number of at least 1.", place));
  Coverage coverage{.rows = rows->get<std::int64_t>(), .points = {}};
  std::vector<CoveragePoint>& curve = coverage.points;
  const auto points = json.find("points");
  bool sound = points != json.end() && points->is_array();
  for (std::size_t i = 0; sound && i < points->size(); ++i) {
    const nlohmann::json& point = (*points)[i];
    sound = point.is_array() && point.size() == 3 &&
            std::all_of(point.begin(), point.end(), [](const nlohmann::json& number) {
              return number.is_number() && number.get<double>() >= 0 && number.get<double>() <= 1;
            });
    if (sound)
      curve.push_back({point[0].get<double>(), point[1].get<double>(), point[2].get<double>()});
  }
  if (!sound)
    throw DataError(fmt::format(
        "{}: points is no list of [threshold, coverage, accuracy], each from 0 to 1.", place));
  return coverage;
}

}  // namespace diffuse
