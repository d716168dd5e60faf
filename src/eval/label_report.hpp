#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "diffuse/eval/evaluator.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse {

/// The lines of the report that texts of several labels alone have: F1 of all decisions, the part
/// of wrong ones, LRAP, labels a text.
std::string label_figures_lines(const Metrics& metrics);

/// Precision, recall, F1, support, answers and threshold of each label, as a table.
std::string label_table(const Metrics& metrics, const Labels& labels);

/// The same figures as an object of the report's JSON.
nlohmann::ordered_json label_figures_json(const LabelFigures& figures);

}  // namespace diffuse
