#include "pace.hpp"

#include "diffuse/base/error.hpp"

namespace diffuse {

void Pace::note(const Key& key, double units, double seconds) {
  if (units > 0 && seconds > 0) units_a_second_[key] = units / seconds;
}

bool Pace::known(const Key& key) const { return units_a_second_.contains(key); }

double Pace::expected_s(const Key& key, double units) const {
  const auto found = units_a_second_.find(key);
  if (found == units_a_second_.end()) throw Error("No pace is known for such a case.");
  return units / found->second;
}

double work_units(const std::optional<double>& flops, double tokens) {
  return flops ? *flops : tokens;
}

}  // namespace diffuse
