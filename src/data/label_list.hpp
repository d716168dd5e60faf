#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "diffuse/data/records.hpp"

namespace diffuse {

/// The labels of a row that may have several (data.label_separator): the parts of `cell` between
/// the separators, canonical, each once, without empty ones; none is a label, too. Returns `bad`,
/// and what is wrong in `bad` but for the line, if something is.
ReadStatus split_labels(std::string_view cell, const std::string& separator,
                        std::vector<std::string>& to, BadRow& bad);

/// The same of the value of the key `key`: a list of labels, each a string, a number, true or
/// false, or one of these by itself, a string in parts. In a list no label may hold the separator:
/// it could not be told from two.
ReadStatus read_label_list(const nlohmann::ordered_json& value, const std::string& key,
                           const std::string& separator, std::vector<std::string>& to, BadRow& bad);

/// The separator as messages show it.
std::string shown_separator(const std::string& separator);

}  // namespace diffuse
