#include "tasks/contours.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

namespace diffuse {
namespace {

constexpr int kTriesOfPaddle = 3;
constexpr int kTriesOfDistractor = 5;
constexpr int kFirstBand = 14;  ///< pixels at the border in which no first contour begins
constexpr int kBorder = 1;      ///< in which nothing begins
constexpr int kSeedDistance = 7;
constexpr int kOverlap = 459;  ///< of two masks' bytes: 1.8 of 255
/// Brightness in halves: 1.5 and 2.
constexpr int kContourHalves = 3;
constexpr int kDistractorHalves = 4;
constexpr std::size_t kMostNext = 19;

}  // namespace

bool ContourDrawing::draw_pair(int length, std::array<std::vector<Pixel>, 2>& contours) {
  canvas_ = empty_canvas();
  std::array<Growing, 2> pair;
  if (!begin_anywhere(pair[0], border_pixels(kFirstBand), kContourHalves)) return false;
  if (!begin_near(pair[1], pair[0].joints.front())) return false;
  for (int i = 1; i < length; ++i)
    for (Growing& contour : pair)
      if (!extend(contour, kContourHalves)) return false;
  // Of the second alone, as in the original: what distracts may touch the first one's last dash.
  add_to_mask(pair[1]);
  for (std::size_t i = 0; i < pair.size(); ++i) contours[i] = std::move(pair[i].joints);
  return true;
}

std::vector<Pixel> ContourDrawing::draw_distractor(int length) {
  for (int tries = 0; tries < kTriesOfDistractor; ++tries) {
    const Canvas before = canvas_;
    Growing contour;
    bool whole = begin_distractor(contour);
    for (int i = 1; whole && i < length; ++i) whole = extend(contour, kDistractorHalves);
    if (whole) {
      add_to_mask(contour);
      return std::move(contour.joints);
    }
    canvas_ = before;
  }
  return {};
}

void ContourDrawing::add_light(Pixel at, const Paddle& paddle, int halves) {
  each_pixel(at, [&](std::size_t to, std::size_t from) {
    canvas_.light[to] =
        std::max(canvas_.light[to], static_cast<std::uint16_t>(halves * paddle.line.pixels[from]));
  });
}

void ContourDrawing::add_to_mask(const Growing& contour) {
  each_pixel(contour.newest_at, [&](std::size_t to, std::size_t from) {
    canvas_.mask[to] = std::max(canvas_.mask[to], contour.newest->mask.pixels[from]);
  });
}

bool ContourDrawing::fits(Pixel at, const Paddle& paddle) const {
  bool good = true;
  each_pixel(at, [&](std::size_t to, std::size_t from) {
    good = good && canvas_.mask[to] + paddle.mask.pixels[from] < kOverlap;
  });
  return good;
}

bool ContourDrawing::begin(Growing& contour, std::size_t degree, Pixel tail, int halves) {
  const SeedPaddle& seed = shapes_.seed(degree);
  if (!inside(tail + seed.head) || !inside(tail + seed.pivot)) return false;
  contour = {.joints = {tail, tail + seed.head},
             .pivot = tail + seed.pivot,
             .direction = degree,
             .newest_at = tail,
             .newest = &seed.paddle};
  add_light(tail, seed.paddle, halves);
  return true;
}

bool ContourDrawing::begin_anywhere(Growing& contour, const PixelSet& blocked, int halves) {
  for (int tries = 0; tries < kTriesOfPaddle; ++tries) {
    const std::size_t degree = any_degree();
    const PixelSet open = free_pixels(blocked, shapes_.seed(degree).keep);
    const std::uint64_t count = count_of(open);
    if (count == 0) return false;
    if (begin(contour, degree, nth_of(open, random_.below(count)), halves)) return true;
  }
  return false;
}

bool ContourDrawing::begin_distractor(Growing& contour) {
  // Of the whole picture 1 % free is too little to look for a place.
  constexpr std::uint64_t kMostMasked = kPathfinderPixels - kPathfinderPixels / 100 - 1;
  PixelSet blocked = masked_pixels(canvas_);
  if (count_of(blocked) > kMostMasked) return false;
  const PixelSet border = border_pixels(kBorder);
  for (std::size_t y = 0; y < blocked.size(); ++y) blocked[y] |= border[y];
  return begin_anywhere(contour, blocked, kDistractorHalves);
}

bool ContourDrawing::begin_near(Growing& contour, Pixel other) {
  constexpr double kDegree = std::numbers::pi / 180;
  for (int tries = 0; tries < kTriesOfPaddle; ++tries) {
    const std::size_t degree = any_degree();
    const double away = static_cast<double>(any_degree()) * kDegree;
    // Halves are rounded up on every machine.
    const auto rounded = [](double part) {
      return static_cast<int>(std::floor(part + 0.5 + 1e-9));
    };
    const Pixel tail = other + Pixel{rounded(kSeedDistance * std::sin(away)),
                                     rounded(kSeedDistance * std::cos(away))};
    if (begin(contour, degree, tail, kContourHalves)) return true;
  }
  return false;
}

int ContourDrawing::mask_around(Pixel at) const {
  int most = 0;
  for (const Pixel& offset : {Pixel{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}})
    if (inside(at + offset)) most = std::max<int>(most, canvas_.mask[place(at + offset)]);
  return most;
}

bool ContourDrawing::extend(Growing& contour, int halves) {
  const std::vector<NextPaddle>& next = shapes_.next();
  const Pixel pivot = contour.pivot + shapes_.step(contour.direction);
  std::array<std::uint64_t, kMostNext> up_to{};
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const Pixel head = pivot + next[i].head;
    if (inside(head)) {
      const auto room = static_cast<std::uint64_t>(255 - mask_around(head));
      total += room * shapes_.weight(contour.direction, i);
    }
    up_to[i] = total;
  }
  // Less than a ten-thousandth of a free way straight on is a dead end.
  if (total < 255 * PaddleShapes::kWeightOne / 10'000 + 1) return false;
  for (int tries = 0; tries < kTriesOfPaddle; ++tries) {
    const std::uint64_t number = random_.below(total);
    const auto chosen = static_cast<std::size_t>(
        std::upper_bound(up_to.begin(), up_to.begin() + std::ssize(next), number) - up_to.begin());
    const Pixel head = pivot + next[chosen].head;
    if (!fits(head, next[chosen].paddle)) continue;
    add_light(head, next[chosen].paddle, halves);
    add_to_mask(contour);
    contour.joints.push_back(head);
    contour.pivot = pivot;
    contour.direction = shapes_.direction_of(chosen);
    contour.newest_at = head;
    contour.newest = &next[chosen].paddle;
    return true;
  }
  return false;
}

}  // namespace diffuse
