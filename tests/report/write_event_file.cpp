// Writes an event file into the folder that is named by the first argument and prints its path.

#include <fmt/core.h>

#include <exception>
#include <limits>

#include "diffuse/report/event_file.hpp"

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "Usage: write_event_file FOLDER\n");
    return 2;
  }
  try {
    diffuse::EventFile file(argv[1]);
    file.add_scalar("train/loss", 0, 1.5, 1764043200.25);
    file.add_scalar("train/loss", 300, 0.1, 1764043201.5);
    file.add_scalar("validation/accuracy", 300, 0.9184, 1764043202);
    file.add_scalar("train/größe", std::int64_t{1} << 40, -2.5e-7, 1764043203);
    file.add_scalar("train/grad_norm", 301, std::numeric_limits<double>::infinity(), 1764043204);
    diffuse::EventFile resumed(argv[1]);
    resumed.add_restart(101, 1764043300);
    resumed.add_scalar("train/loss", 200, 0.75, 1764043301);
    fmt::print("{}\n{}\n", file.path().string(), resumed.path().string());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
