#include "diffuse/data/gold.hpp"

namespace diffuse {

Gold Gold::at(std::span<const std::size_t> places) const {
  Gold some{.classes = classes, .labels = {}, .several = several};
  for (const std::size_t place : places) {
    some.labels.push_back(labels[place]);
    if (!several) continue;
    const std::span<const std::uint8_t> own = row(place);
    some.has.insert(some.has.end(), own.begin(), own.end());
    some.unknown.push_back(unknown[place]);
  }
  return some;
}

Gold gold_of(const DatasetView& view, std::int64_t classes) {
  Gold gold{.classes = classes, .labels = {}};
  if (view.data == nullptr) return gold;
  gold.several = view.data->several_labels();
  gold.labels.reserve(view.size());
  const auto width = static_cast<std::size_t>(classes);
  if (gold.several) {
    gold.has.resize(view.size() * width);
    gold.unknown.resize(view.size());
  }
  for (std::size_t i = 0; i < view.size(); ++i) {
    gold.labels.push_back(view.data->label(view.rows[i]));
    if (!gold.several) continue;
    for (const ClassShare& own : view.data->targets().shares(view.rows[i])) {
      if (own.label < 0)
        ++gold.unknown[i];
      else
        gold.has[i * width + static_cast<std::size_t>(own.label)] = 1;
    }
  }
  return gold;
}

}  // namespace diffuse
