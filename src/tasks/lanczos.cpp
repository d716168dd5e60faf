#include "tasks/lanczos.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace diffuse {
namespace {

constexpr int kWeightBits = 22;
constexpr double kLobes = 3;

double lanczos(double x) {
  const auto sinc = [](double t) {
    const double angle = t * std::numbers::pi;
    return t == 0 ? 1.0 : std::sin(angle) / angle;
  };
  return std::abs(x) < kLobes ? sinc(x) * sinc(x / kLobes) : 0.0;
}

/// What the pixels `first`, first + 1, … of a line weigh in one pixel of the smaller line.
struct LineWeights {
  int first = 0;
  std::vector<std::int32_t> weights{};
};

LineWeights weights_of(int to, int from_side, int to_side) {
  const double ratio = static_cast<double>(from_side) / to_side;
  const double centre = (to + 0.5) * ratio;
  const double reach = kLobes * ratio;
  LineWeights result{.first = std::max(0, static_cast<int>(std::floor(centre - reach + 0.5)))};
  const int end = std::min(from_side, static_cast<int>(std::floor(centre + reach + 0.5)));
  std::vector<double> weights;
  weights.reserve(static_cast<std::size_t>(end - result.first));
  double sum = 0;
  for (int i = result.first; i < end; ++i) {
    weights.push_back(lanczos((i - centre + 0.5) / ratio));
    sum += weights.back();
  }
  result.weights.reserve(weights.size());
  for (const double weight : weights)
    result.weights.push_back(
        static_cast<std::int32_t>(std::lround(weight / sum * (1 << kWeightBits))));
  return result;
}

std::uint8_t to_byte(std::int64_t sum) {
  const std::int64_t rounded = (sum + (std::int64_t{1} << (kWeightBits - 1))) >> kWeightBits;
  return static_cast<std::uint8_t>(std::clamp<std::int64_t>(rounded, 0, 255));
}

}  // namespace

GreyImage shrink(const GreyImage& image, int side) {
  std::vector<LineWeights> lines;
  for (int to = 0; to < side; ++to) lines.push_back(weights_of(to, image.side, side));
  // [image.side, side] stands in the square of the larger side.
  GreyImage narrow(image.side);
  for (int y = 0; y < image.side; ++y) {
    // Most of a picture with a disc is black.
    const auto row = image.pixels.begin() + static_cast<std::ptrdiff_t>(image.index(y, 0));
    if (std::all_of(row, row + image.side, [](std::uint8_t pixel) { return pixel == 0; })) continue;
    for (int to = 0; to < side; ++to) {
      const LineWeights& line = lines[static_cast<std::size_t>(to)];
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < line.weights.size(); ++i)
        sum += std::int64_t{line.weights[i]} * image.at(y, line.first + static_cast<int>(i));
      narrow.at(y, to) = to_byte(sum);
    }
  }
  GreyImage result(side);
  for (int to = 0; to < side; ++to) {
    const LineWeights& line = lines[static_cast<std::size_t>(to)];
    for (int x = 0; x < side; ++x) {
      std::int64_t sum = 0;
      for (std::size_t i = 0; i < line.weights.size(); ++i)
        sum += std::int64_t{line.weights[i]} * narrow.at(line.first + static_cast<int>(i), x);
      result.at(to, x) = to_byte(sum);
    }
  }
  return result;
}

}  // namespace diffuse
