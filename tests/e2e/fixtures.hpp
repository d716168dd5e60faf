#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "e2e/program.hpp"
#include "support/temp_dir.hpp"

namespace diffuse::testing {

/// Labelled rows `label,text` of an easy problem: two words of each text tell its class (sport,
/// money, weather); `first` makes files with different texts.
std::string easy_csv(int rows, int first = 0);

/// A folder with train.csv, test.csv and small.json, a config that trains on them in about a
/// second. Nothing is written outside of it: the cache lies inside, too.
class Workspace {
 public:
  Workspace();

  const std::filesystem::path& path() const { return dir_.path(); }
  std::filesystem::path write(const std::string& name, std::string_view content) const {
    return dir_.write(name, content);
  }
  /// `arguments` for a run inside the folder.
  Launch launch(std::vector<std::string> arguments, std::string input = "") const;
  Outcome run(std::vector<std::string> arguments, std::string input = "") const;
  /// What a run leaves that gets SIGTERM when all of `texts` have come on stderr, one after the
  /// other; the test fails where it ends otherwise.
  Outcome stopped_at(const std::vector<std::string>& texts,
                     std::vector<std::string> arguments) const;

 private:
  TempDir dir_;
};

/// A workspace with a trained run, `runs/small`, and what its training printed. Made once.
struct TrainedWorkspace {
  Workspace workspace;
  Outcome training;
};
const TrainedWorkspace& trained_workspace();

/// The training of `small.json` in the folder `out`.
std::vector<std::string> small_run(const std::string& out,
                                   const std::vector<std::string>& more = {});
/// Updates behind the last checkpoint of a run.
std::int64_t last_update(const std::filesystem::path& run);

/// All of a file; nothing if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// The lines of `text`.
std::vector<std::string> lines_of(const std::string& text);

/// Names of everything under `folder`, sorted, relative to it.
std::vector<std::string> tree(const std::filesystem::path& folder);

}  // namespace diffuse::testing
