#pragma once

#include <cstddef>
#include <string>

#include "diffuse/report/training_report.hpp"

namespace diffuse {

/// The parts of the page, as HTML.

/// Title, what became of the run, and the key figures.
std::string key_figures_html(const TrainingReport& report);

/// Curves, times and memory. Empty for a history without a line of training.
std::string training_html(const RunHistory& history);

/// Rows, tokens and what was not used of each part of the data. Empty where there are no parts.
std::string data_html(const TrainingReport& report);

/// Confusions, calibration, classes and errors. Throws Error if sizes disagree.
std::string evaluation_html(const EvaluatedSet& set);

/// Classes up to which there is a matrix.
inline constexpr std::size_t kMostMatrixClasses = 30;

/// The confusion matrix as a table, or of more than 30 classes the 20 most frequent confusions.
std::string confusion_html(const EvaluatedSet& set);

/// The page's style sheet, without that of the charts.
std::string page_css();

}  // namespace diffuse
