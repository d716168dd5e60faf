#include "diffuse/explain/path_integral.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace diffuse {
namespace {

/// A path of one part, from a function and its derivative.
Path path_of(const std::function<double(double)>& value,
             const std::function<double(double)>& slope) {
  return [=](std::span<const double> places) {
    std::vector<PathPoint> points;
    for (const double at : places) points.push_back({value(at), {slope(at)}});
    return points;
  };
}

TEST(PathIntegral, IsExactForParts) {
  // f(x, y) = x² + x y + sin(y) from (0, 0) to (2, 3).
  const Path path = [](std::span<const double> places) {
    std::vector<PathPoint> points;
    for (const double at : places) {
      const double x = 2 * at;
      const double y = 3 * at;
      points.push_back({x * x + x * y + std::sin(y), {2 * (2 * x + y), 3 * (x + std::cos(y))}});
    }
    return points;
  };
  const PathIntegral found = integrate_path(path, 1e-6, 1000);
  EXPECT_EQ(found.start, 0);
  EXPECT_DOUBLE_EQ(found.end, 10 + std::sin(3.0));
  ASSERT_EQ(found.parts.size(), 2U);
  EXPECT_NEAR(found.parts[0], 4 + 3, 1e-7);
  EXPECT_NEAR(found.parts[1], 3 + std::sin(3.0), 1e-7);
  EXPECT_NEAR(found.error(), 0, 1e-7);
  EXPECT_EQ(found.points, 17) << "a smooth path needs no more than the first points";
}

TEST(PathIntegral, AsksForMorePointsWhereThePathIsSteep) {
  // As the normalisation of a state that begins at zero.
  const auto steep = path_of([](double at) { return 10 * at / std::sqrt(at * at + 1e-5); },
                             [](double at) { return 10 * 1e-5 / std::pow(at * at + 1e-5, 1.5); });
  const PathIntegral found = integrate_path(steep, 1e-4, 4000);
  EXPECT_LE(std::abs(found.error()), 1e-4);
  EXPECT_LT(found.points, 200);
}

TEST(PathIntegral, GoesOverBends) {
  const auto bend = path_of([](double at) { return std::max(at - 0.3, 0.0); },
                            [](double at) { return at > 0.3 ? 1.0 : 0.0; });
  const PathIntegral found = integrate_path(bend, 1e-4, 4000);
  EXPECT_NEAR(found.parts[0], 0.7, 1e-4);
}

TEST(PathIntegral, StopsAndTellsWhatIsLeftWhereNoPointsAreEnough) {
  const auto jump =
      path_of([](double at) { return at > 0.3 ? 1.0 : 0.0; }, [](double) { return 0.0; });
  const PathIntegral found = integrate_path(jump, 1e-4, 100);
  EXPECT_DOUBLE_EQ(found.error(), 1);
  EXPECT_GE(found.points, 100);
  EXPECT_LE(found.points, 110);
}

TEST(PathIntegral, EndsWhereTheFunctionIsNoNumber) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  const auto lost = path_of([](double) { return kNaN; }, [](double) { return kNaN; });
  EXPECT_EQ(integrate_path(lost, 1e-4, 4000).points, 17);
}

}  // namespace
}  // namespace diffuse
