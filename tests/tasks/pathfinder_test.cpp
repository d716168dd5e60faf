#include "diffuse/tasks/pathfinder.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "diffuse/tasks/row_random.hpp"

namespace diffuse {
namespace {

constexpr int kScenes = 600;

std::vector<PathfinderScene> scenes_of(const PathfinderRules& rules) {
  const PathfinderPainter painter;
  std::vector<PathfinderScene> scenes;
  for (int i = 0; i < kScenes; ++i) {
    Random random = row_random(2, Split::train, i);
    scenes.push_back(painter.draw(rules, random));
  }
  return scenes;
}

const std::vector<PathfinderScene>& hard_scenes() {
  static const std::vector<PathfinderScene> scenes = scenes_of({});
  return scenes;
}

double apart(Pixel a, Pixel b) { return std::hypot(a.y - b.y, a.x - b.x); }

TEST(Pathfinder, RulesFollowTheContoursLength) {
  EXPECT_EQ(pathfinder_rules(14).distractor_length, 4);
  EXPECT_EQ(pathfinder_rules(14).distractors, 5);
  EXPECT_EQ(pathfinder_rules(9).distractor_length, 3);
  EXPECT_EQ(pathfinder_rules(9).distractors, 6);
  EXPECT_EQ(pathfinder_rules(6).distractors, 10);
}

TEST(Pathfinder, ContoursAreChainsOfDashes) {
  for (const PathfinderScene& scene : hard_scenes()) {
    for (const auto& contour : scene.contours) {
      ASSERT_EQ(contour.size(), 15U);
      for (std::size_t i = 1; i < contour.size(); ++i) {
        // A dash of two pixels; then, over a gap of about one on each side of a turn, the next.
        EXPECT_LE(apart(contour[i - 1], contour[i]), 7);
        EXPECT_TRUE(contour[i].y >= 0 && contour[i].y < 32 && contour[i].x >= 0 &&
                    contour[i].x < 32);
      }
    }
    EXPECT_LE(scene.distractors.size(), 5U);
    for (const auto& contour : scene.distractors) EXPECT_EQ(contour.size(), 5U);
    EXPECT_NEAR(apart(scene.contours[0][0], scene.contours[1][0]), 7, 0.75);
  }
}

TEST(Pathfinder, AContourMayBeOneDash) {
  EXPECT_EQ(pathfinder_rules(1).distractor_length, 1);
  EXPECT_EQ(pathfinder_rules(1).distractors, 20);
  for (const PathfinderScene& scene :
       scenes_of({.contour_length = 1, .distractor_length = 1, .distractors = 0})) {
    for (const auto& contour : scene.contours) ASSERT_EQ(contour.size(), 2U);
    EXPECT_TRUE(scene.distractors.empty());
    // A dash is shorter than its neighbour is far.
    EXPECT_TRUE(!scene.connected || marker_distance(scene) <= 4) << marker_distance(scene);
    EXPECT_EQ(path_length(scene).has_value(), scene.connected);
  }
}

TEST(Pathfinder, DiscsLieOnTheEndsOfOneContourOrOfTwo) {
  int connected = 0;
  int second = 0;
  for (const PathfinderScene& scene : hard_scenes()) {
    const auto& begun = scene.contours.at(static_cast<std::size_t>(scene.marked));
    const auto& other = scene.contours.at(static_cast<std::size_t>(1 - scene.marked));
    EXPECT_EQ(scene.markers[0], begun.front());
    EXPECT_EQ(scene.markers[1], scene.connected ? begun.back() : other.back());
    EXPECT_EQ(path_length(scene).has_value(), scene.connected);
    if (scene.connected) {
      EXPECT_NEAR(*path_length(scene), 49, 8);
      EXPECT_GE(*path_length(scene), marker_distance(scene));
    }
    connected += scene.connected ? 1 : 0;
    second += scene.marked;
    for (const Pixel& marker : scene.markers) {
      const auto centre = static_cast<std::size_t>(marker.y * 32 + marker.x);
      EXPECT_GE(scene.pixels[centre], 126) << "a disc is half as bright as what is brightest";
    }
  }
  EXPECT_NEAR(connected, kScenes / 2, 40);
  EXPECT_NEAR(second, kScenes / 2, 40);
}

/// Two figures of an independent program of the same specification on 300 pictures: a mean pixel
/// of 27.7, 4.65 contours that distract, 45 attempts for a pair.
TEST(Pathfinder, PicturesAreAsBrightAndAsFull) {
  double light = 0;
  double distractors = 0;
  double attempts = 0;
  for (const PathfinderScene& scene : hard_scenes()) {
    ASSERT_EQ(scene.pixels.size(), 1024U);
    EXPECT_EQ(*std::ranges::min_element(scene.pixels), 0);
    EXPECT_EQ(*std::ranges::max_element(scene.pixels), 255);
    for (const std::uint8_t pixel : scene.pixels) light += pixel;
    distractors += static_cast<double>(scene.distractors.size());
    attempts += static_cast<double>(scene.attempts);
  }
  EXPECT_NEAR(light / kScenes / 1024, 27.7, 0.7);
  EXPECT_NEAR(distractors / kScenes, 4.65, 0.15);
  EXPECT_NEAR(attempts / kScenes, 45, 9);
}

/// Whether light leads from disc to disc over gaps of two pixels: looks at the picture alone, and
/// knows nothing of dashes.
bool lit_way(const PathfinderScene& scene) {
  constexpr int kLit = 40;
  constexpr int kReach = 3;
  std::vector<int> seen(1024, 0);
  std::vector<Pixel> open = {scene.markers[0]};
  while (!open.empty()) {
    const Pixel at = open.back();
    open.pop_back();
    for (int y = std::max(0, at.y - kReach); y <= std::min(31, at.y + kReach); ++y)
      for (int x = std::max(0, at.x - kReach); x <= std::min(31, at.x + kReach); ++x) {
        const auto place = static_cast<std::size_t>(y * 32 + x);
        if (seen[place] != 0 || scene.pixels[place] < kLit || apart(at, {y, x}) > 3.2) continue;
        seen[place] = 1;
        open.push_back({y, x});
      }
  }
  return seen[static_cast<std::size_t>(scene.markers[1].y * 32 + scene.markers[1].x)] != 0;
}

/// How near the two contours come to each other, from end of a dash to end of a dash.
double nearest(const PathfinderScene& scene) {
  double least = 100;
  for (const Pixel& a : scene.contours[0])
    for (const Pixel& b : scene.contours[1]) least = std::min(least, apart(a, b));
  return least;
}

TEST(Pathfinder, LightLeadsFromDiscToDiscWhereTheyAreConnected) {
  int connected = 0;
  int found = 0;
  for (const PathfinderScene& scene : scenes_of({.distractors = 0})) {
    connected += scene.connected ? 1 : 0;
    found += scene.connected && lit_way(scene) ? 1 : 0;
  }
  EXPECT_GE(found, 0.98 * connected);
}

/// Contours of the hard set meet nearly always; short ones, which begin seven pixels from each
/// other, often do not.
TEST(Pathfinder, NoLightLeadsFromOneContourToAnotherThatIsNotNear) {
  int seen = 0;
  int strayed = 0;
  for (const PathfinderScene& scene : scenes_of({.contour_length = 3, .distractors = 0})) {
    if (scene.connected || nearest(scene) < 6) continue;
    strayed += lit_way(scene) ? 1 : 0;
    ++seen;
  }
  EXPECT_GE(seen, 50);
  EXPECT_LE(strayed, seen / 20) << "between two ends a dash may come nearer";
}

/// Local light must not tell: a majority of what is connected and of what is not looks so.
TEST(Pathfinder, LightIsNoAnswerToTheHardSet) {
  int right = 0;
  for (const PathfinderScene& scene : hard_scenes())
    right += lit_way(scene) == scene.connected ? 1 : 0;
  EXPECT_NEAR(100.0 * right / kScenes, 50, 8);
}

}  // namespace
}  // namespace diffuse
