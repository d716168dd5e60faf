#pragma once

#include <string>
#include <utility>
#include <vector>

#include "diffuse/bench/comparison.hpp"

namespace diffuse::cli {

/// What a comparison's figures depend on: program, libraries, devices, threads, clocks.
std::vector<std::pair<std::string, std::string>> bench_environment(
    const std::vector<BenchCase>& cases);

/// A sentence where the machine is at work already.
std::vector<std::string> noise_warnings();

}  // namespace diffuse::cli
