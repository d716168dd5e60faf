#include "diffuse/tasks/pathfinder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <span>

#include "tasks/paddles.hpp"

namespace diffuse {
namespace {

constexpr int kTriesOfPaddle = 3;
constexpr int kTriesOfDistractor = 5;
constexpr int kFirstBand = 14;  ///< pixels at the border in which no first contour begins
constexpr int kBorder = 1;      ///< in which nothing begins
constexpr int kSeedDistance = 7;
/// Of a mask's bytes, that is 0.3 and 1.8 of 255.
constexpr int kMostOfFree = 76;
constexpr int kOverlap = 459;
/// Brightness is counted in halves: a dash of the contours has 1.5, one that distracts 2, a disc 1.
constexpr int kContourHalves = 3;
constexpr int kDistractorHalves = 4;
constexpr int kMarkerHalves = 2;

bool inside(Pixel at) {
  return at.y >= 0 && at.x >= 0 && at.y < kPathfinderSide && at.x < kPathfinderSide;
}
std::size_t place(Pixel at) {
  return static_cast<std::size_t>(at.y) * kPathfinderSide + static_cast<std::size_t>(at.x);
}
Pixel operator+(Pixel a, Pixel b) { return {a.y + b.y, a.x + b.x}; }

/// The picture as it grows, and where there may be no further dash.
struct Canvas {
  std::array<std::uint16_t, kPathfinderPixels> light{};
  std::array<std::uint8_t, kPathfinderPixels> mask{};
};

Canvas empty_canvas() {
  Canvas canvas;
  for (int i = 0; i < kPathfinderSide; ++i)
    for (const Pixel& at :
         {Pixel{0, i}, {kPathfinderSide - 1, i}, {i, 0}, {i, kPathfinderSide - 1}})
      canvas.mask[place(at)] = 255;
  return canvas;
}

/// Calls `pixel(place in the picture, place in the patch)` where both are.
template <class Each>
void each_pixel(Pixel centre, const Each& pixel) {
  for (int y = 0; y < kPaddleSide; ++y)
    for (int x = 0; x < kPaddleSide; ++x) {
      const Pixel at = centre + Pixel{y - kPaddleReach, x - kPaddleReach};
      if (inside(at)) pixel(place(at), static_cast<std::size_t>(y * kPaddleSide + x));
    }
}

/// A contour that grows.
struct Growing {
  std::vector<Pixel> joints;
  Pixel pivot;
  DirectionId direction = 0;
  /// The newest dash enters the mask only with the next one, which begins so close to it.
  Pixel newest_at;
  const Paddle* newest = nullptr;
};

/// One bit a pixel, a row a word: whether a dash may begin there.
using FreePixels = std::array<std::uint32_t, kPathfinderSide>;

/// Pixels less than `band` from the border.
FreePixels border_pixels(int band) {
  const std::uint32_t ends = band == 0 ? 0 : ~(~0U >> band << 2 * band >> band);
  FreePixels border{};
  for (std::size_t y = 0; y < border.size(); ++y) {
    const auto to_end = std::min<std::size_t>(y, border.size() - 1 - y);
    border[y] = to_end < static_cast<std::size_t>(band) ? ~0U : ends;
  }
  return border;
}

FreePixels masked_pixels(const Canvas& canvas) {
  FreePixels masked{};
  for (std::size_t i = 0; i < canvas.mask.size(); ++i)
    masked[i / kPathfinderSide] |= (canvas.mask[i] > kMostOfFree ? 1U : 0U) << i % kPathfinderSide;
  return masked;
}

FreePixels free_for(const FreePixels& blocked, std::span<const Pixel> keep) {
  FreePixels taken{};
  for (const Pixel& offset : keep)
    for (int y = 0; y < kPathfinderSide; ++y) {
      const int from = y + offset.y;
      if (from < 0 || from >= kPathfinderSide) continue;
      const std::uint32_t row = blocked[static_cast<std::size_t>(from)];
      taken[static_cast<std::size_t>(y)] |= offset.x >= 0 ? row >> offset.x : row << -offset.x;
    }
  for (std::uint32_t& row : taken) row = ~row;
  return taken;
}

std::uint64_t count_of(const FreePixels& pixels) {
  std::uint64_t count = 0;
  for (const std::uint32_t row : pixels) count += static_cast<std::uint64_t>(std::popcount(row));
  return count;
}

Pixel nth_of(const FreePixels& pixels, std::uint64_t number) {
  for (int y = 0;; ++y) {
    std::uint32_t row = pixels[static_cast<std::size_t>(y)];
    const auto here = static_cast<std::uint64_t>(std::popcount(row));
    if (number >= here) {
      number -= here;
      continue;
    }
    for (; number > 0; --number) row &= row - 1;
    return {y, std::countr_zero(row)};
  }
}

/// Draws the contours of one picture.
class ContourDrawing {
 public:
  ContourDrawing(const PaddleShapes& shapes, Random& random) : shapes_(shapes), random_(random) {}

  Canvas& canvas() { return canvas_; }

  /// Two contours, dash by dash in turns. False where one of them gets stuck.
  bool draw_pair(int length, std::array<std::vector<Pixel>, 2>& contours) {
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

  /// A contour that distracts; empty where there is no place for it.
  std::vector<Pixel> draw_distractor(int length) {
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

 private:
  void add_light(Pixel at, const Paddle& paddle, int halves) {
    each_pixel(at, [&](std::size_t to, std::size_t from) {
      canvas_.light[to] = std::max(canvas_.light[to],
                                   static_cast<std::uint16_t>(halves * paddle.line.pixels[from]));
    });
  }

  void add_to_mask(const Growing& contour) {
    each_pixel(contour.newest_at, [&](std::size_t to, std::size_t from) {
      canvas_.mask[to] = std::max(canvas_.mask[to], contour.newest->mask.pixels[from]);
    });
  }

  bool fits(Pixel at, const Paddle& paddle) const {
    bool good = true;
    each_pixel(at, [&](std::size_t to, std::size_t from) {
      good = good && canvas_.mask[to] + paddle.mask.pixels[from] < kOverlap;
    });
    return good;
  }

  /// False where head or pivot would lie outside.
  bool begin(Growing& contour, std::size_t degree, Pixel tail, int halves) {
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

  std::size_t any_degree() { return static_cast<std::size_t>(random_.below(PaddleShapes::kSeeds)); }

  bool begin_anywhere(Growing& contour, const FreePixels& blocked, int halves) {
    for (int tries = 0; tries < kTriesOfPaddle; ++tries) {
      const std::size_t degree = any_degree();
      const FreePixels open = free_for(blocked, shapes_.seed(degree).keep);
      const std::uint64_t count = count_of(open);
      if (count == 0) return false;
      if (begin(contour, degree, nth_of(open, random_.below(count)), halves)) return true;
    }
    return false;
  }

  bool begin_distractor(Growing& contour) {
    // Of the whole picture 1 % free is too little to look for a place.
    constexpr std::uint64_t kMostMasked = kPathfinderPixels - kPathfinderPixels / 100 - 1;
    FreePixels blocked = masked_pixels(canvas_);
    if (count_of(blocked) > kMostMasked) return false;
    const FreePixels border = border_pixels(kBorder);
    for (std::size_t y = 0; y < blocked.size(); ++y) blocked[y] |= border[y];
    return begin_anywhere(contour, blocked, kDistractorHalves);
  }

  bool begin_near(Growing& contour, Pixel other) {
    constexpr double kDegree = 3.14159265358979323846 / 180;
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

  /// The brightest of the mask at a pixel and its four neighbours.
  int mask_around(Pixel at) const {
    int most = 0;
    for (const Pixel& offset : {Pixel{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}})
      if (inside(at + offset)) most = std::max<int>(most, canvas_.mask[place(at + offset)]);
    return most;
  }

  bool extend(Growing& contour, int halves) {
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
          std::upper_bound(up_to.begin(), up_to.begin() + std::ssize(next), number) -
          up_to.begin());
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

  static constexpr std::size_t kMostNext = 19;

  const PaddleShapes& shapes_;
  Random& random_;
  Canvas canvas_{};
};

/// From the darkest pixel to the brightest as 0 to 255.
std::vector<std::uint8_t> to_bytes(const Canvas& canvas) {
  const auto [least, most] = std::ranges::minmax(canvas.light);
  const int range = std::max(1, most - least);
  std::vector<std::uint8_t> pixels;
  pixels.reserve(canvas.light.size());
  for (const std::uint16_t light : canvas.light)
    pixels.push_back(static_cast<std::uint8_t>((2 * 255 * (light - least) + range) / (2 * range)));
  return pixels;
}

double distance(Pixel a, Pixel b) { return std::hypot(a.y - b.y, a.x - b.x); }

}  // namespace

struct PathfinderPainter::Implementation {
  PathfinderRules rules;
  PaddleShapes shapes{};
};

PathfinderRules pathfinder_rules(int contour_length) {
  constexpr int kDashesOfDistractors = 20;
  const int length = std::max(1, contour_length / 3);
  return {.contour_length = contour_length,
          .distractor_length = length,
          .distractors = kDashesOfDistractors / length};
}

PathfinderPainter::PathfinderPainter(const PathfinderRules& rules)
    : self_(std::make_unique<Implementation>(Implementation{.rules = rules})) {}
PathfinderPainter::~PathfinderPainter() = default;

PathfinderScene PathfinderPainter::draw(Random& random) const {
  const PathfinderRules& rules = self_->rules;
  PathfinderScene scene;
  scene.connected = random.below(2) == 1;
  ContourDrawing drawing(self_->shapes, random);
  do {
    ++scene.attempts;
  } while (!drawing.draw_pair(rules.contour_length, scene.contours));
  for (int i = 0; i < rules.distractors; ++i)
    if (auto joints = drawing.draw_distractor(rules.distractor_length); !joints.empty())
      scene.distractors.push_back(std::move(joints));
  scene.marked = static_cast<int>(random.below(2));
  const int ended = scene.connected ? scene.marked : 1 - scene.marked;
  scene.markers = {scene.contours.at(static_cast<std::size_t>(scene.marked)).front(),
                   scene.contours.at(static_cast<std::size_t>(ended)).back()};
  Canvas& canvas = drawing.canvas();
  for (const Pixel& marker : scene.markers) {
    const GreyImage disc = marker_at(marker);
    for (std::size_t i = 0; i < disc.pixels.size(); ++i)
      canvas.light[i] =
          std::max(canvas.light[i], static_cast<std::uint16_t>(kMarkerHalves * disc.pixels[i]));
  }
  scene.pixels = to_bytes(canvas);
  return scene;
}

double marker_distance(const PathfinderScene& scene) {
  return distance(scene.markers[0], scene.markers[1]);
}

std::optional<double> path_length(const PathfinderScene& scene) {
  if (!scene.connected) return std::nullopt;
  const std::vector<Pixel>& joints = scene.contours.at(static_cast<std::size_t>(scene.marked));
  double length = 0;
  for (std::size_t i = 1; i < joints.size(); ++i) length += distance(joints[i - 1], joints[i]);
  return length;
}

}  // namespace diffuse
