#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "diffuse/config/config.hpp"
#include "enum_names.hpp"

namespace diffuse {

/// What a parameter can hold. An enumerator is held as its name.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                           std::vector<std::string>, InputFiles, ClassWeights>;

enum class FieldType {
  boolean,
  integer,
  number,
  text,
  path,
  choice,
  integers,
  texts,
  paths,
  files,
  class_weights
};

/// One parameter: everything that readers, writers, checks and documents know about it.
struct Field {
  std::string section;
  std::string name;
  FieldType type = FieldType::text;
  std::string help;  ///< sentences; the first says what it is and stands in error messages too
  std::string unit;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false;   ///< `low` itself is not allowed
  bool high_open = false;  ///< `high` itself is not allowed
  std::vector<std::string> choices;
  std::string pattern;           ///< of a text: a regular expression (ECMAScript) for all of it
  std::string pattern_words;     ///< what `pattern` says, for people
  std::size_t min_items = 0;     ///< of a list
  bool number_as_text = false;   ///< a text, or list of texts, that may be written as whole numbers
  std::vector<ModelType> types;  ///< of models that it has an effect on; empty: all
  std::vector<std::string> aliases;  ///< what others call it; only for "did you mean"
  bool may_change = false;           ///< on --resume: the length, the logs, or where it is computed
  std::function<Value(const Config&)> get;
  std::function<void(Config&, const Value&)> set;

  /// "model.dim".
  std::string key() const { return section + "." + name; }
  /// What may stand here: "a whole number from 1 to 8192".
  std::string allowed() const;
  /// Whether models of `model_type` look at it.
  bool concerns(ModelType model_type) const;
  /// The help's first sentence without its full stop, first letter lower-case.
  std::string summary() const;
  /// Whether `value` is inside low .. high.
  bool in_range(double value) const;

  // For the tables.
  Field& between(double from, double to);
  Field& at_least(double from);
  Field& above(double from);
  Field& below(double to);
  Field& in(std::string unit_name);
  Field& is_path();
  Field& matches(std::string regex, std::string words);
  Field& or_number();
  Field& not_empty();
  Field& also_called(std::vector<std::string> names);
  Field& may_change_on_resume();
  Field& only_for(std::vector<ModelType> model_types);
};

/// The field type for a member of type T, and conversions between T and Value.
template <class T>
struct FieldTraits {  // enumerations
  static constexpr FieldType kType = FieldType::choice;
  static Value to_value(T member) {
    return std::string(enum_names<T>().at(static_cast<std::size_t>(member)));
  }
  static T from_value(const Value& value) {
    const auto& names = enum_names<T>();
    std::size_t index = 0;
    while (names.at(index) != std::get<std::string>(value)) ++index;
    return static_cast<T>(index);
  }
};

template <class T, FieldType type>
struct PlainFieldTraits {
  static constexpr FieldType kType = type;
  static Value to_value(const T& member) { return member; }
  static T from_value(const Value& value) { return std::get<T>(value); }
};
template <>
struct FieldTraits<bool> : PlainFieldTraits<bool, FieldType::boolean> {};
template <>
struct FieldTraits<std::int64_t> : PlainFieldTraits<std::int64_t, FieldType::integer> {};
template <>
struct FieldTraits<double> : PlainFieldTraits<double, FieldType::number> {};
template <>
struct FieldTraits<std::string> : PlainFieldTraits<std::string, FieldType::text> {};
template <>
struct FieldTraits<std::vector<std::int64_t>>
    : PlainFieldTraits<std::vector<std::int64_t>, FieldType::integers> {};
template <>
struct FieldTraits<std::vector<std::string>>
    : PlainFieldTraits<std::vector<std::string>, FieldType::texts> {};
template <>
struct FieldTraits<InputFiles> : PlainFieldTraits<InputFiles, FieldType::files> {};
template <>
struct FieldTraits<ClassWeights> : PlainFieldTraits<ClassWeights, FieldType::class_weights> {};

/// Builds the table of one section. Type and default come from the struct's member.
template <class Section>
class FieldTable {
 public:
  /// `types`: of models that the section has an effect on; empty: all.
  FieldTable(std::string name, Section Config::*section, std::vector<ModelType> types = {})
      : name_(std::move(name)), section_(section), types_(std::move(types)) {}

  /// The reference is for the same statement only.
  template <class T>
  Field& add(std::string name, T Section::*member, std::string help) {
    Field& field = fields_.emplace_back();
    field.section = name_;
    field.name = std::move(name);
    field.help = std::move(help);
    field.type = FieldTraits<T>::kType;
    field.types = types_;
    if constexpr (FieldTraits<T>::kType == FieldType::choice) {
      field.choices.assign(enum_names<T>().begin(), enum_names<T>().end());
    }
    field.get = [section = section_, member](const Config& config) {
      return FieldTraits<T>::to_value(config.*section.*member);
    };
    field.set = [section = section_, member](Config& config, const Value& value) {
      config.*section.*member = FieldTraits<T>::from_value(value);
    };
    return field;
  }

  std::vector<Field> take() { return std::move(fields_); }

 private:
  std::string name_;
  Section Config::*section_;
  std::vector<ModelType> types_;
  std::vector<Field> fields_;
};

/// Models whose embedding, pooling and head are the diffusion model's.
std::vector<ModelType> with_own_embedding();

std::vector<Field> data_fields();
std::vector<Field> tokenizer_fields();
std::vector<Field> ngram_fields();
std::vector<Field> pretrain_fields();
std::vector<Field> model_fields();
std::vector<Field> distilbert_fields();
std::vector<Field> bert_fields();
std::vector<Field> mixer_fields();
std::vector<Field> train_fields();

/// One object of the config file.
struct Section {
  std::string name;
  std::string help;
  std::vector<Field> fields;
};
/// Every parameter, in the order of files and documents.
const std::vector<Section>& all_sections();

/// Nothing when unknown. The pointer is valid for the program's life.
const Section* find_section(std::string_view name);
const Field* find_field(const Section& section, std::string_view name);
/// By its full key, "model.dim".
const Field* find_field(std::string_view key);

/// `did you mean "model.dim"?` for an unknown key of `section` (empty where that is unknown too),
/// or where all keys are listed; with a leading "; ".
std::string key_suggestion(std::string_view section, std::string_view name);

}  // namespace diffuse
