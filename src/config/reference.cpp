#include <fmt/format.h>

#include "convert.hpp"
#include "diffuse/config/load.hpp"
#include "documents.hpp"
#include "field.hpp"

namespace diffuse {
namespace {

constexpr const char* kIntroduction = R"(# Configuration

<!-- Generated from the parameter tables: diffuse config --reference > docs/configuration.md -->

A configuration is a JSON file with an object for each section below. What a file leaves out has its
default, so `{}` is a configuration too. `diffuse config --defaults` prints all of it as a file with
comments, `--check FILE` checks one and the files it names, `--show FILE` prints what it amounts to,
`--schema` prints a JSON Schema for editors (point to it with a `"$schema"` key).

**Precedence.** Default, then the file, then the command line: `--set section.key=value`, as often
as needed. A list is written as `--set model.dilation=1,2,4` or as JSON; a single entry may stand
without brackets everywhere.

**Comments.** `//` to the end of the line and `/* */`.

**Environment.** `${NAME}` in a text of the file is replaced by the environment variable, and
`${NAME:-default}` by the default where it is unset or empty. `$${` stands for a plain `${`. An unset
variable without a default is an error. On the command line the shell does this.

**Paths.** A relative path in a file is relative to the file's folder; one from the command line, or
one that begins with a value from the environment, to the working directory. `~/` is the home folder.
The configuration stored with a run and in its checkpoints holds absolute paths.

**Lengths.** `"3e"` is 3 epochs, `"0.5e"` half of one, `"5000u"` is 5,000 updates of the weights, `"30m"`
is 30 minutes.

**Faults.** Everything wrong is found before any work starts and reported at once, a line each: where,
the key, its value, what is allowed, and the nearest name where a name is unknown. A setting that has
no effect beside the others, or an unlikely one, is a warning.
)";

/// Text for a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    if (letter == '|' || letter == '<') result += '\\';
    result += letter;
  }
  return result;
}

/// "`train.length`, `train.max_updates`".
std::string changeable_keys() {
  std::string text;
  for (const Section& section : all_sections()) {
    for (const Field& field : section.fields) {
      if (field.may_change) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", field.key());
    }
  }
  return text;
}

std::string allowed_cell(const Field& field) {
  if (field.type != FieldType::choice) return cell(allowed_with_unit(field));
  std::string text;
  for (const std::string& choice : field.choices) {
    text += fmt::format("{}`{}`", text.empty() ? "" : ", ", choice);
  }
  return text;
}

}  // namespace

std::string config_reference_markdown() {
  const Config defaults;
  std::string page = kIntroduction;
  page += fmt::format(
      "\n**Resuming.** `diffuse train --resume RUN` takes the run's own configuration. These keys "
      "may "
      "be\nchanged with it: {}.\n",
      changeable_keys());
  for (const Section& section : all_sections()) {
    page +=
        fmt::format("\n## {}\n\n{}\n\n| key | default | allowed | meaning |\n|---|---|---|---|\n",
                    section.name, section.help);
    for (const Field& field : section.fields) {
      page += fmt::format("| `{}` | `{}` | {} | {} |\n", field.name,
                          value_to_json(field.get(defaults)).dump(), allowed_cell(field),
                          cell(field.help));
    }
  }
  return page;
}

}  // namespace diffuse
