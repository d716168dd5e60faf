#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// What the values of a column are, as far as it tells whether they are texts.
enum class ColumnKind { text, number, date, link, address, phone, identifier };

/// What every one of `values` is, left aside those that are empty or say that there is none (NA,
/// null, -): numbers (also with a currency or per cent sign), dates and times, links, e-mail
/// addresses and @names, telephone numbers, or identifiers: checksums and the like in hexadecimal
/// digits, or words with a digit in them, each another one. Text unless all are the same of these.
ColumnKind kind_of(const std::vector<std::string_view>& values);

/// "numbers", "dates or times", "links".
std::string_view kind_name(ColumnKind kind);

/// Which columns or keys are read as texts, and what there is to say of that.
struct TextChoice {
  std::vector<std::size_t> texts;
  std::vector<std::string> notes;
};

/// Of `candidates` those that are texts by themselves, or all of them if none is or they are
/// `named` as texts are. `kind` tells what a candidate holds, `shown` how a message calls it.
TextChoice choose_texts(const std::vector<std::size_t>& candidates, bool named,
                        const std::function<ColumnKind(std::size_t)>& kind,
                        const std::function<std::string(std::size_t)>& shown);

}  // namespace diffuse
