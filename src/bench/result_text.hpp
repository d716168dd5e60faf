#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diffuse/bench/comparison.hpp"

namespace diffuse {

/// What the forms of a report share: the cells of its tables.

/// "train 32 x 64".
std::string case_name(const BenchCase& which);
/// The same with device and threads, where cases differ in them.
std::string case_name(const BenchCase& which, const Comparison& comparison);
/// "1 thread", "2 threads".
std::string threads_text(int threads);
/// "1.85 ms", "12.4 s": three significant digits.
std::string time_text(double seconds);
/// "3.9 GB", "out of memory", or "" where it was not measured.
std::string memory_text(const Measurement& measurement);
/// Seconds that a pass over the training file takes by the measurement; nothing where unknown.
std::optional<double> epoch_s(const Measurement& measurement, const CaseResult& result,
                              const Comparison& comparison);
/// "123 ± 4", or "" without one.
std::string ratio_text(const std::optional<Ratio>& ratio);
std::string ratio_text(const std::optional<double>& ratio);
/// "84 GFLOP/s", or "" where the operations are not known.
std::string flops_text(const Measurement& measurement);
/// Operations for a token of the case; a training step counts as three forward passes. Nothing, or
/// "" where they are not known.
std::optional<double> token_flops(const Measurement& measurement);
std::string token_flops_text(const Measurement& measurement);

/// "fp32 220 ms; tf32 84.0 ms": what a side's precisions took where they were tried. "about" for
/// what was estimated from a smaller call.
std::string tried_text(const std::vector<TriedPrecision>& tried);

/// A table as rows of cells; the first row is the header.
using Cells = std::vector<std::vector<std::string>>;
Cells measurement_cells(const Comparison& comparison);
Cells ratio_cells(const Comparison& comparison);
/// What each precision took where it was tried, the chosen one marked; the header alone where none
/// was.
Cells tried_cells(const Comparison& comparison);
Cells model_cells(const Comparison& comparison);
/// "agnews against DistilBERT", "agnews against 6 models".
std::string comparison_title(const Comparison& comparison);
/// "Accuracy against …" of each model with a paired test.
std::vector<std::string> accuracy_lines(const Comparison& comparison);
/// Warnings and what the figures leave open, in sentences.
std::vector<std::string> remarks(const Comparison& comparison);

}  // namespace diffuse
