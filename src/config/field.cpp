#include "field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>

#include "diffuse/base/text_util.hpp"
#include "diffuse/config/load.hpp"

namespace diffuse {
namespace {

std::string range_words(const Field& field) {
  const auto number = [&field](double value) {
    // Whole bounds of whole numbers in full: 4294967295, not 4.29e+09.
    return std::abs(value) < 1e15 && value == std::floor(value) && field.type != FieldType::number
               ? fmt::format("{:.0f}", value)
               : fmt::format("{}", value);
  };
  const bool has_low = std::isfinite(field.low);
  const bool has_high = std::isfinite(field.high);
  if (!has_low && !has_high) return "";
  if (!has_high)
    return fmt::format(" {} {}", field.low_open ? "above" : "of at least", number(field.low));
  if (!has_low)
    return fmt::format(" {} {}", field.high_open ? "below" : "of at most", number(field.high));
  if (!field.low_open && !field.high_open) {
    return fmt::format(" from {} to {}", number(field.low), number(field.high));
  }
  return fmt::format(" {} {} and {} {}", field.low_open ? "above" : "of at least",
                     number(field.low), field.high_open ? "below" : "at most", number(field.high));
}

/// "lr" for "learning_rate".
std::string initials(std::string_view name) {
  std::string result;
  bool start = true;
  for (const char letter : name) {
    if (start && letter != '_') result += letter;
    start = letter == '_';
  }
  return result;
}

}  // namespace

std::string Field::allowed() const {
  switch (type) {
    case FieldType::boolean:
      return "true or false";
    case FieldType::integer:
      return "a whole number" + range_words(*this);
    case FieldType::number:
      return "a number" + range_words(*this);
    case FieldType::text:
      if (!pattern.empty()) return pattern_words;
      return number_as_text ? "a name, or a whole number from 1" : "a text";
    case FieldType::path:
      return "a path";
    case FieldType::choice:
      return "one of " + join(choices, ", ");
    case FieldType::integers:
      return fmt::format("{} whole numbers{}", min_items > 0 ? "one or more" : "a list of",
                         range_words(*this));
    case FieldType::paths:
      return "a list of paths";
    case FieldType::files:
      return "a path, a pattern of paths (*, ?, [...]) or a list of them";
    case FieldType::texts:
      return number_as_text ? "a list of names or of whole numbers from 1" : "a list of texts";
    case FieldType::class_weights:
      return "none, balanced, or {\"CLASS\": WEIGHT, ...} with numbers from 0 to 1000000";
  }
  return "";
}

std::string Field::summary() const {
  std::string text = help.substr(0, help.find(". "));
  if (!text.empty() && text.back() == '.') text.pop_back();
  const bool second_is_lower = text.size() > 1 && std::islower(static_cast<unsigned char>(text[1]));
  const bool one_letter_word = text.size() > 1 && text[1] == ' ';
  if (second_is_lower || one_letter_word) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

bool Field::in_range(double value) const {
  if (low_open ? value <= low : value < low) return false;
  return high_open ? value < high : value <= high;
}

bool Field::concerns(ModelType model_type) const {
  return types.empty() || std::find(types.begin(), types.end(), model_type) != types.end();
}

Field& Field::between(double from, double to) {
  low = from;
  high = to;
  return *this;
}

Field& Field::at_least(double from) {
  low = from;
  return *this;
}

Field& Field::above(double from) {
  low = from;
  low_open = true;
  return *this;
}

Field& Field::below(double to) {
  high = to;
  high_open = true;
  return *this;
}

Field& Field::in(std::string unit_name) {
  unit = std::move(unit_name);
  return *this;
}

Field& Field::is_path() {
  type = type == FieldType::texts ? FieldType::paths : FieldType::path;
  return *this;
}

Field& Field::matches(std::string regex, std::string words) {
  pattern = std::move(regex);
  pattern_words = std::move(words);
  return *this;
}

Field& Field::or_number() {
  number_as_text = true;
  return *this;
}

Field& Field::not_empty() {
  min_items = 1;
  return *this;
}

Field& Field::may_change_on_resume() {
  may_change = true;
  return *this;
}

Field& Field::only_for(std::vector<ModelType> model_types) {
  types = std::move(model_types);
  return *this;
}

Field& Field::also_called(std::vector<std::string> names) {
  aliases = std::move(names);
  return *this;
}

std::vector<ModelType> with_own_embedding() {
  return types_of({ModelFamily::diffusion, ModelFamily::mixer});
}

const std::vector<Section>& all_sections() {
  static const std::vector<ModelType> mixers = types_of({ModelFamily::mixer});
  static const std::vector<Section> sections = {
      {"data", "Which files, and how to read them.", data_fields()},
      {"tokenizer", "How a text becomes token numbers.", tokenizer_fields()},
      {"ngrams", "The linear model of n-grams beside the network.", ngram_fields()},
      {"model",
       "The classifier. What stands below `file` is for `type` = diffusion; of it `dim`, `steps` "
       "(as blocks), `pooling` and what begins with head, embedding_init, token_dropout and "
       "embedding_dropout is for " +
           type_names(mixers, "and") + " as well.",
       model_fields()},
      {"distilbert", "The transformer that `model.type` = distilbert trains instead.",
       distilbert_fields()},
      {"bert", "The transformer that `model.type` = bert trains instead.", bert_fields()},
      {"mixer", "What mixes tokens where `model.type` is " + type_names(mixers, "or") + ".",
       mixer_fields()},
      {"train", "How it is trained, and where.", train_fields()},
      {"pretrain",
       "How it learns from texts without labels: with train.pretrain, and `diffuse pretrain`.",
       pretrain_fields()},
  };
  return sections;
}

const Section* find_section(std::string_view name) {
  for (const Section& section : all_sections()) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

const Field* find_field(const Section& section, std::string_view name) {
  for (const Field& field : section.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const Field* find_field(std::string_view key) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const Section* section = find_section(key.substr(0, dot));
  return section == nullptr ? nullptr : find_field(*section, key.substr(dot + 1));
}

bool has_effect(std::string_view section, std::string_view name, ModelType type) {
  const Section* const found = find_section(section);
  const Field* const field = found == nullptr ? nullptr : find_field(*found, name);
  return field != nullptr && field->concerns(type);
}

std::string key_suggestion(std::string_view section, std::string_view name) {
  std::vector<std::string> names;
  std::optional<std::string> found;
  for (const Section& known : all_sections()) {
    for (const Field& field : known.fields) {
      const bool alias =
          std::find(field.aliases.begin(), field.aliases.end(), name) != field.aliases.end();
      // Two letters and more: "a" is nobody's acronym.
      const bool acronym = name.size() > 1 && initials(field.name) == name;
      if (!found && (field.name == name || alias || acronym)) found = field.key();
      if (known.name == section) names.push_back(field.name);
    }
  }
  if (!found && !names.empty()) {
    if (const auto near = nearest_name(name, names)) found = fmt::format("{}.{}", section, *near);
  }
  if (!found) {
    names.clear();
    for (const Section& known : all_sections()) {
      for (const Field& field : known.fields) names.push_back(field.key());
    }
    found = nearest_name(section.empty() ? std::string(name) : fmt::format("{}.{}", section, name),
                         names);
  }
  return found ? fmt::format("; did you mean \"{}\"?", *found)
               : "; `diffuse config --defaults` lists all keys";
}

}  // namespace diffuse
