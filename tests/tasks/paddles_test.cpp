#include "tasks/paddles.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <numbers>
#include <set>

#include "diffuse/base/files.hpp"

namespace diffuse {
namespace {

const nlohmann::json& pillow() {
  static const auto json =
      nlohmann::json::parse(read_file(std::string(DIFFUSE_TEST_DATA) + "/paddles_reference.json"));
  return json;
}

/// Drawn and shrunk by Pillow, as the original generator does: scripts/make_task_fixtures.py.
TEST(Paddles, DashesAreThoseOfPillow) {
  ASSERT_EQ(pillow().at("paddles").size(), 29U);
  for (const auto& reference : pillow().at("paddles")) {
    const int degree = reference.at("degree");
    const Paddle paddle = paddle_at(degree * std::numbers::pi / 180);
    EXPECT_EQ(paddle.line.pixels, reference.at("line").get<std::vector<std::uint8_t>>()) << degree;
    EXPECT_EQ(paddle.mask.pixels, reference.at("mask").get<std::vector<std::uint8_t>>()) << degree;
  }
}

TEST(Paddles, DiscsAreThoseOfPillowAtTheBorderToo) {
  ASSERT_EQ(pillow().at("markers").size(), 3U);
  for (const auto& reference : pillow().at("markers")) {
    const GreyImage disc = marker_at({.y = reference.at("y"), .x = reference.at("x")});
    EXPECT_EQ(disc.pixels, reference.at("pixels").get<std::vector<std::uint8_t>>()) << reference;
  }
}

TEST(Paddles, AContourTurnsByAtMostARightAngle) {
  const PaddleShapes shapes;
  EXPECT_GE(shapes.next().size(), 12U);
  EXPECT_LE(shapes.next().size(), 19U);
  for (std::size_t degree = 0; degree < PaddleShapes::kSeeds; ++degree) {
    std::uint64_t most = 0;
    for (std::size_t to = 0; to < shapes.next().size(); ++to) {
      const double angle = (static_cast<double>(degree) - 180) * std::numbers::pi / 180;
      const Pixel head = shapes.next()[to].head;
      const double ahead = head.y * std::sin(angle) + head.x * std::cos(angle);
      if (ahead < -1e-6) {
        EXPECT_EQ(shapes.weight(degree, to), 0U);
      }
      most = std::max(most, shapes.weight(degree, to));
    }
    EXPECT_GT(most, PaddleShapes::kWeightOne * 8 / 10) << degree;
  }
}

TEST(Paddles, VectorsAreRoundedUp) {
  const auto rounded = [](double degree, double length) {
    return rounded_up(degree * std::numbers::pi / 180, length);
  };
  EXPECT_EQ(rounded(0, 4), (Pixel{0, 4}));
  EXPECT_EQ(rounded(30, 4), (Pixel{2, 4})) << "4 sin 30 is 2, whatever the rounding";
  EXPECT_EQ(rounded(150, 4), (Pixel{2, -3}));
  EXPECT_EQ(rounded(-150, 4), (Pixel{-2, -3}));
  EXPECT_EQ(rounded(180, 2), (Pixel{0, -2}));
}

}  // namespace
}  // namespace diffuse
