#include "tasks/paddles.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

namespace diffuse {
namespace {

constexpr double kPi = std::numbers::pi;
/// The parts of a vector that are whole numbers but for rounding, such as 4 sin 30 degrees, count
/// as these on every machine.
constexpr double kRounding = 1e-9;

constexpr int kScale = 2;  ///< of what is drawn before it is shrunk
constexpr int kLength = 2;
constexpr int kMargin = 1;
constexpr std::uint8_t kWhite = 255;

double flipped(double angle) { return angle < 0 ? angle + kPi : angle - kPi; }

/// A line of single pixels (J. E. Bresenham, IBM Systems Journal 4, 1965), both ends included.
void draw_line(GreyImage& image, Pixel from, Pixel to) {
  const int height = std::abs(to.y - from.y);
  const int width = std::abs(to.x - from.x);
  const int down = to.y < from.y ? -1 : 1;
  const int right = to.x < from.x ? -1 : 1;
  const int longer = std::max(height, width);
  const int shorter = std::min(height, width);
  int error = 2 * shorter - longer;
  Pixel at = from;
  for (int i = 0; i <= longer; ++i) {
    if (image.holds(at.y, at.x)) image.at(at.y, at.x) = kWhite;
    const bool both = error >= 0 && shorter > 0;
    if (both) error -= 2 * longer;
    error += 2 * shorter;
    if (width > height || both) at.x += right;
    if (width <= height || both) at.y += down;
  }
}

bool in_disc(int y, int x, int radius) { return y * y + x * x <= radius * radius; }

/// Each pixel becomes the brightest of those within `radius`.
GreyImage dilated(const GreyImage& image, int radius) {
  GreyImage result(image.side);
  for (int y = 0; y < image.side; ++y)
    for (int x = 0; x < image.side; ++x)
      for (int dy = -radius; dy <= radius; ++dy)
        for (int dx = -radius; dx <= radius; ++dx)
          if (in_disc(dy, dx, radius) && image.holds(y + dy, x + dx))
            result.at(y, x) = std::max(result.at(y, x), image.at(y + dy, x + dx));
  return result;
}

/// What of the mask must be free for a dash to begin in the middle. The original lays the dash into
/// a window of 7 x 7 whose middle it takes to be one pixel further: the pixels looked at are moved
/// by one, and those that no longer fit are left out.
std::vector<Pixel> pixels_to_keep(const GreyImage& mask) {
  constexpr int kLast = kLength + kMargin - 1;
  std::vector<Pixel> keep;
  for (int y = -kPaddleReach; y <= kLast; ++y)
    for (int x = -kPaddleReach; x <= kLast; ++x)
      if (mask.at(y + kPaddleReach, x + kPaddleReach) == kWhite) keep.push_back({y + 1, x + 1});
  return keep;
}

SeedPaddle seed_at(double angle) {
  const Pixel head = rounded_up(angle, kLength);
  const Pixel back = rounded_up(flipped(angle), kLength + kMargin);
  SeedPaddle seed{.paddle = paddle_at(angle),
                  .head = head,
                  .pivot = {head.y + back.y, head.x + back.x},
                  .keep = {}};
  seed.keep = pixels_to_keep(seed.paddle.mask);
  return seed;
}

/// Pixels on the circle of radius 3, a pixel apart along it.
std::vector<Pixel> circle_of_heads() {
  constexpr double kRadius = kLength + kMargin;
  std::vector<Pixel> heads;
  for (int i = 0; i < 2 * kPi * kRadius; ++i) {
    const double angle = i / kRadius;
    const Pixel head{.y = static_cast<int>(std::floor(kRadius * std::sin(angle) + kRounding)),
                     .x = static_cast<int>(std::floor(kRadius * std::cos(angle) + kRounding))};
    if (std::ranges::find(heads, head) == heads.end()) heads.push_back(head);
  }
  return heads;
}

std::uint64_t turn_weight(double from, double to) {
  const double apart = std::abs(from - to);
  const double turn = std::min({apart, 2 * kPi - apart, kPi / 2});
  const double likely = std::cos(turn) * std::cos(turn);
  return static_cast<std::uint64_t>(
      std::llround(likely * static_cast<double>(PaddleShapes::kWeightOne)));
}

}  // namespace

Pixel rounded_up(double angle, double length) {
  const auto up = [](double part) { return static_cast<int>(std::ceil(part - kRounding)); };
  return {.y = up(length * std::sin(angle)), .x = up(length * std::cos(angle))};
}

Paddle paddle_at(double angle) {
  constexpr int kCentre = kScale * kPaddleReach;
  const Pixel head = rounded_up(angle, kScale * kLength);
  GreyImage line(2 * kCentre + 1);
  draw_line(line, {kCentre, kCentre}, {kCentre + head.y, kCentre + head.x});
  return {.line = shrink(line, kPaddleSide),
          .mask = shrink(dilated(line, kScale * kMargin), kPaddleSide)};
}

GreyImage marker_at(Pixel centre) {
  constexpr int kRadius = 3;  // 1.5 pixels, at twice the size
  GreyImage large(kScale * kPathfinderSide);
  for (int dy = -kRadius; dy <= kRadius; ++dy)
    for (int dx = -kRadius; dx <= kRadius; ++dx) {
      const Pixel at{.y = kScale * centre.y + dy, .x = kScale * centre.x + dx};
      if (in_disc(dy, dx, kRadius) && large.holds(at.y, at.x)) large.at(at.y, at.x) = kWhite;
    }
  return shrink(large, kPathfinderSide);
}

PaddleShapes::PaddleShapes() {
  std::vector<double> angles;
  for (int degree = -180; degree < 180; ++degree) {
    angles.push_back(degree * kPi / 180);
    seeds_.push_back(seed_at(angles.back()));
  }
  for (const Pixel& head : circle_of_heads()) {
    angles.push_back(std::atan2(head.y, head.x));
    next_.push_back({.head = head, .paddle = paddle_at(flipped(angles.back()))});
  }
  for (const double angle : angles) {
    steps_.push_back(rounded_up(angle, kLength + 2 * kMargin));
    for (std::size_t to = 0; to < next_.size(); ++to)
      weights_.push_back(turn_weight(angle, angles[kSeeds + to]));
  }
}

}  // namespace diffuse
