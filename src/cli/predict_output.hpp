#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/data/records.hpp"
#include "diffuse/explain/explanation.hpp"
#include "diffuse/text/labels.hpp"

namespace diffuse::cli {

/// text: as tsv, but explanations are lines below.
enum class OutputFormat { text, tsv, jsonl };

/// What stands in every line beside the answer.
struct OutputForm {
  OutputFormat format = OutputFormat::tsv;
  std::size_t top = 1;              ///< classes in a line, the most probable first
  bool logits = false;              ///< jsonl only
  bool probabilities = false;       ///< of all classes, jsonl only
  std::vector<std::string> keep;    ///< names of the columns that are carried through
  double threshold = 0;             ///< an answer of less probability is "unsure"
  std::size_t explained = 0;        ///< parts of an explanation; 0: none is asked for
  std::vector<float> thresholds{};  ///< [C] of a model of several labels a text: each one's own
  std::string separator{};          ///< between them (tsv)
};

/// The answer to one record: [C] each, the logits in class order.
struct Answer {
  std::span<const float> probabilities;
  std::span<const float> logits;
  double unknown_share = 0;                     ///< of the text's tokens
  std::span<const Explanation> explanations{};  ///< of the logits of `explained_classes`, or none
  std::string_view text{};                      ///< that is explained
};

/// Writes answers as lines. Several threads may use one object.
class OutputLines {
 public:
  OutputLines(const Labels& labels, OutputForm form);

  /// Whether answers are to have an explanation.
  bool explains() const { return form_.explained > 0; }
  /// The classes to be explained where they have `probabilities`: the answer or, of several labels,
  /// all that are answered, in class order, or the most probable one where none is.
  std::vector<std::int32_t> explained_classes(std::span<const float> probabilities) const;

  /// Appends the line of a usable record: the `top` most probable classes, ties in class order.
  /// tsv: pairs of label and probability, then `kept`. jsonl: `kept` under the names of
  /// `form.keep`, then label and probability, unless a kept "label" stands there, unknown_share,
  /// and, on request, top, logits (with every digit of a float32) and the probabilities by class.
  /// In the place of an answer that is unsure the first label is #unsure in tsv, null in jsonl.
  /// Several labels, none, one or more, stand in one cell of tsv and their probabilities in the
  /// next, the pairs that `top` asks for behind these; in jsonl as the lists labels and
  /// label_probabilities.
  /// An explanation (explanation_output.hpp) is lines below in text, a cell before `kept` in tsv,
  /// an object in jsonl; of several labels each has its own, under its name, and jsonl a list.
  void add_answer(const Answer& answer, std::span<const KeptValue> kept, std::string& out) const;

  /// Appends the line that stands in the place of an unusable record. `kept` may lack values.
  void add_error(std::string_view message, std::span<const KeptValue> kept, std::string& out) const;

 private:
  void add_kept_members(std::span<const KeptValue> kept, std::string& out) const;
  void add_kept_cells(std::span<const KeptValue> kept, std::string& out) const;
  void add_pair(std::size_t index, float probability, std::string& out) const;
  void add_details(const Answer& answer, std::span<const std::size_t> order,
                   std::string& out) const;
  void add_labels(const Answer& answer, std::span<const KeptValue> kept, std::string& out) const;
  void add_explanation_cells(const Answer& answer, std::string& out) const;
  void add_explanations_below(const Answer& answer, std::string& out) const;
  bool several() const { return !form_.thresholds.empty(); }

  OutputForm form_;
  std::vector<std::string> names_;  // of the labels, as the format writes them
  std::vector<std::string> keys_;   // of `form_.keep`: `"id": `
  std::string separator_;           // of several labels, as tsv writes it
  bool keeps_label_ = false;        // a row's own, which stands in the place of the answer's
};

}  // namespace diffuse::cli
