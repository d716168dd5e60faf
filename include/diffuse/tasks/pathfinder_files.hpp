#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "diffuse/base/worker_pool.hpp"
#include "diffuse/tasks/pathfinder.hpp"
#include "diffuse/tasks/task_files.hpp"

namespace diffuse {

/// Pathfinder as files: what `diffuse data pathfinder` makes.
struct PathfinderTask {
  std::vector<PathfinderRules> rules{1};  ///< of each row one of them, each as likely
  std::uint64_t seed = 0;
  SplitRows rows{.train = 160'000, .validation = 20'000, .test = 20'000};
};

/// Bytes of a picture in its file: the label, then the pixels row by row.
inline constexpr std::int64_t kPathfinderRowBytes = 1 + kPathfinderPixels;

/// What a file of pictures is like.
struct PathfinderSummary {
  /// Whole pixels between the two discs: the picture's diagonal has 44.
  static constexpr std::size_t kDistances = 46;

  Split split = Split::train;
  TaskFile file;
  TaskFile markers_file;
  std::int64_t rows = 0;
  /// Rows whose discs are apart by at least so many pixels and less than one more: [0] of two
  /// contours, [1] on the ends of one.
  std::array<std::array<std::int64_t, kDistances>, 2> distances{};
  std::int64_t connected = 0;
  std::int64_t light = 0;        ///< sum of all pixels
  std::int64_t lit = 0;          ///< pixels of at least half the brightness
  std::int64_t distractors = 0;  ///< drawn
  std::int64_t attempts = 0;     ///< pairs of contours that were begun
  double path_length = 0;        ///< sum over the connected ones
};

/// The part of the rows that the best threshold of the discs' distance tells right, chosen on the
/// rows themselves: what can be known without looking at the contours.
double best_by_distance(const PathfinderSummary& summary);

/// Writes train.bin, validation.bin and test.bin into `folder`, which must be there, rows of
/// kPathfinderRowBytes, and beside each a table `train.markers.tsv` with the discs' places, their
/// distance and, where they are connected, the way along the contour. Throws SystemError where a
/// file cannot be written.
std::vector<PathfinderSummary> write_pathfinder(const PathfinderTask& task,
                                                const std::filesystem::path& folder,
                                                WorkerPool& pool, const OnTaskRow& on_row);

}  // namespace diffuse
