#include "label_resolver.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <tuple>
#include <utility>

#include "diffuse/base/text_util.hpp"
#include "diffuse/base/unicode.hpp"

namespace diffuse {
namespace {

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

/// `name` without the joiners, which a label may hold unseen.
std::string without_joiners(std::string name) {
  for (const std::string_view joiner : {"\u200C", "\u200D"}) {
    for (std::size_t at = 0; (at = name.find(joiner, at)) != std::string::npos;) {
      name.erase(at, joiner.size());
    }
  }
  return name;
}

}  // namespace

std::string LabelResolver::expected() const {
  constexpr std::int64_t kShown = 12;
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < std::min(known_->size(), kShown); ++i) {
    names.push_back(printable(known_->name(i), 40));
  }
  std::string text = "one of " + join(names, ", ");
  if (known_->size() > kShown) text += fmt::format(", … ({} in all)", known_->size());
  if (numbers_) {
    text += fmt::format(", or a number from {} to {} (data.label_base = {})", base_,
                        base_ + known_->size() - 1, base_);
  }
  return text;
}

std::optional<std::int32_t> LabelResolver::resolve(const std::string& label, std::uint32_t line,
                                                   BadRow& bad) {
  if (!known_) {
    const auto [place, added] =
        index_.try_emplace(label, static_cast<std::int32_t>(collected_.size()));
    if (added) collected_.push_back(label);
    return place->second;
  }
  if (const auto index = known_->find(label)) return index;
  if (numbers_) {
    const auto number = whole_number(label);
    std::int64_t index = 0;
    if (number && !__builtin_sub_overflow(*number, base_, &index) && index >= 0 &&
        index < known_->size()) {
      return static_cast<std::int32_t>(index);
    }
  }
  std::string hint;
  const auto& names = known_->names();
  // 1 and 1.0 are as far apart as any two short names, but a reader takes them for the same.
  const auto alike = std::find_if(names.begin(), names.end(), [&](const std::string& name) {
    return look_alike_key(name) == look_alike_key(label);
  });
  if (const auto near = alike != names.end() ? std::optional(*alike) : nearest_name(label, names)) {
    const bool looks_the_same = without_joiners(label) == without_joiners(*near);
    hint = looks_the_same ? fmt::format(", which differs from \"{}\" by a joiner that is not seen",
                                        printable(*near))
                          : fmt::format(", did you mean \"{}\"?", printable(*near));
  }
  bad = {line, fmt::format("unknown label \"{}\"{}", printable(label), hint), expected()};
  return std::nullopt;
}

bool LabelResolver::resolve_soft(const Example& example, std::vector<ClassShare>& shares,
                                 BadRow& bad) {
  shares.clear();
  const std::vector<double>& list = example.soft.in_order;
  if (!list.empty() && (!known_ || static_cast<std::int64_t>(list.size()) != known_->size())) {
    bad =
        known_
            ? BadRow{example.line, fmt::format("the soft label has {} probabilities", list.size()),
                     fmt::format("{}, in the order of the classes", known_->size())}
            : BadRow{example.line, "the soft label is a list",
                     "an object {\"class\": probability, ...}, or data.labels, a file with the "
                     "order of the classes"};
    return false;
  }
  for (std::size_t i = 0; i < list.size(); ++i)
    if (list[i] > 0) shares.push_back({static_cast<std::int32_t>(i), static_cast<float>(list[i])});
  ++soft_labels_;
  for (const auto& [name, share] : example.soft.by_name) {
    const auto label = resolve(name, example.line, bad);
    if (!label) {
      bad.problem = "in the soft label: " + bad.problem;
      return false;
    }
    const auto place = static_cast<std::size_t>(*label);
    if (named_in_.size() <= place) named_in_.resize(place + 1);
    if (std::exchange(named_in_[place], soft_labels_) == soft_labels_) {
      bad = {example.line,
             fmt::format("the soft label holds the class \"{}\" twice", printable(name)),
             "each class once"};
      return false;
    }
    if (share > 0) shares.push_back({*label, static_cast<float>(share)});
  }
  return true;
}

Labels LabelResolver::finish(std::vector<std::int32_t>& to) const {
  to.clear();
  if (known_) return *known_;
  const bool numeric = std::all_of(collected_.begin(), collected_.end(),
                                   [](const auto& name) { return whole_number(name).has_value(); });
  std::vector<std::size_t> order(collected_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const auto key = [&](std::size_t i) {
      return std::tuple(numeric ? whole_number(collected_[i]).value() : 0, collected_[i]);
    };
    return key(a) < key(b);
  });
  std::vector<std::string> names;
  to.resize(collected_.size());
  for (const std::size_t i : order) {
    to[i] = static_cast<std::int32_t>(names.size());
    names.push_back(collected_[i]);
  }
  return Labels(std::move(names));
}

}  // namespace diffuse
