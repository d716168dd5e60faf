#include "diffuse/tasks/pathfinder_files.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "diffuse/tasks/ordered_rows.hpp"
#include "tasks/row_file.hpp"

namespace diffuse {
namespace {

/// Writes the pictures of one split.
class PathfinderFile {
 public:
  PathfinderFile(Split split, const std::filesystem::path& folder)
      : rows_(folder / (std::string(split_name(split)) + ".bin")),
        markers_(folder / (std::string(split_name(split)) + ".markers.tsv")) {
    summary_.split = split;
    markers_.write("row\tlabel\ty1\tx1\ty2\tx2\tdistance\tpath\n");
  }

  void add(std::int64_t row, const PathfinderScene& scene) {
    std::string bytes(1, scene.connected ? '\1' : '\0');
    for (const std::uint8_t pixel : scene.pixels) bytes += static_cast<char>(pixel);
    rows_.write(bytes);
    const auto& [first, second] = scene.markers;
    const std::optional<double> path = path_length(scene);
    markers_.write(fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{:.2f}\t{}\n", row + 1,
                               scene.connected ? 1 : 0, first.y, first.x, second.y, second.x,
                               marker_distance(scene), path ? fmt::format("{:.2f}", *path) : ""));
    count(scene, path.value_or(0));
  }

  PathfinderSummary finish() {
    summary_.file = rows_.finish();
    summary_.markers_file = markers_.finish();
    return summary_;
  }

 private:
  void count(const PathfinderScene& scene, double path) {
    constexpr std::uint8_t kHalf = 128;
    ++summary_.rows;
    summary_.connected += scene.connected ? 1 : 0;
    ++summary_.distances.at(scene.connected ? 1 : 0)
          .at(static_cast<std::size_t>(marker_distance(scene)));
    for (const std::uint8_t pixel : scene.pixels) {
      summary_.light += pixel;
      summary_.lit += pixel >= kHalf ? 1 : 0;
    }
    summary_.distractors += std::ssize(scene.distractors);
    summary_.attempts += scene.attempts;
    summary_.path_length += path;
  }

  RowFile rows_;
  RowFile markers_;
  PathfinderSummary summary_{};
};

}  // namespace

double best_by_distance(const PathfinderSummary& summary) {
  if (summary.rows == 0) return 0;
  const auto& [apart, together] = summary.distances;
  // Rows that are right where all closer than the threshold are taken for connected.
  std::int64_t right = summary.rows - summary.connected;
  std::int64_t best = std::max(right, summary.rows - right);
  for (std::size_t i = 0; i < apart.size(); ++i) {
    right += together[i] - apart[i];
    best = std::max({best, right, summary.rows - right});
  }
  return static_cast<double>(best) / static_cast<double>(summary.rows);
}

std::vector<PathfinderSummary> write_pathfinder(const PathfinderTask& task,
                                                const std::filesystem::path& folder,
                                                WorkerPool& pool, const OnTaskRow& on_row) {
  const PathfinderPainter painter;
  std::vector<PathfinderSummary> summaries;
  for (const Split split : kSplitsInOrder) {
    const std::int64_t rows = task.rows.of(split);
    if (rows == 0) continue;
    PathfinderFile file(split, folder);
    for_rows_in_order<PathfinderScene>(
        rows, pool,
        [&](std::int64_t row) {
          Random random = row_random(task.seed, split, row);
          // One rule takes no random number: its rows are those that a seed always stood for.
          const std::size_t rule = task.rules.size() == 1 ? 0 : random.below(task.rules.size());
          return painter.draw(task.rules.at(rule), random);
        },
        [&](std::int64_t row, PathfinderScene& scene) {
          file.add(row, scene);
          on_row(split, row + 1, rows);
        });
    summaries.push_back(file.finish());
  }
  std::ranges::reverse(summaries);  // train first, as one reads them
  return summaries;
}

}  // namespace diffuse
