#include "diffuse/ngrams/linear_svm.hpp"

#include <algorithm>
#include <memory>

#include "diffuse/base/error.hpp"
#include "diffuse/base/signals.hpp"
#include "dual_solver.hpp"

namespace diffuse {
namespace {

/// Some machines that one thread trains together.
struct Group {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// As many groups as threads, but none of more machines than a few cache lines of weights.
std::vector<Group> make_groups(std::int64_t machines, std::int64_t threads) {
  constexpr std::int64_t kMost = 16;
  const std::int64_t size = std::min((machines + threads - 1) / threads, kMost);
  std::vector<Group> groups;
  for (std::int64_t first = 0; first < machines; first += size)
    groups.push_back({first, std::min(size, machines - first)});
  return groups;
}

/// The logits of two classes of one machine's margin, else the margins themselves.
void add_logits(const float* margins, std::int64_t machines, float* to) {
  if (machines > 1) {
    std::copy_n(margins, machines, to);
  } else {
    to[0] = -0.5F * margins[0];
    to[1] = 0.5F * margins[0];
  }
}

}  // namespace

void LinearWeights::logits(std::span<const NgramValue> text, float* to) const {
  std::copy(bias.begin(), bias.end(), to);
  const auto width = static_cast<std::size_t>(classes);
  for (const NgramValue& ngram : text) {
    const float* row = &weights[static_cast<std::size_t>(ngram.id) * width];
    for (std::size_t c = 0; c < width; ++c) to[c] += ngram.value * row[c];
  }
}

LinearSvm::LinearSvm(const LinearProblem& problem, WorkerPool& pool)
    : problem_(problem),
      pool_(pool),
      machines_(problem.classes == 2 && problem.has.empty() ? 1 : problem.classes),
      weights_(static_cast<std::size_t>((problem.features + 1) * machines_)),
      dual_(problem.which.size() * static_cast<std::size_t>(machines_)) {
  if (problem.which.size() != problem.labels.size() ||
      (!problem.has.empty() &&
       problem.has.size() != problem.which.size() * static_cast<std::size_t>(problem.classes)) ||
      (!problem.importance.empty() && problem.importance.size() != problem.which.size()))
    throw Error("LinearSvm: rows, labels and importance differ in number.");
  const std::vector<Group> groups = make_groups(machines_, pool.threads());
  pool.run(std::ssize(groups), [&](std::int64_t task, std::int64_t) {
    throw_if_stopped();  // of many groups the rest; each reads all rows before it solves
    const Group& group = groups[static_cast<std::size_t>(task)];
    DualSolver solver(problem_, machines_, group.first, group.count);
    solver.solve();
    solver.store(weights_, dual_);
  });
}

LinearWeights LinearSvm::weights() const {
  LinearWeights made;
  made.classes = problem_.classes;
  made.weights.resize(static_cast<std::size_t>(problem_.features * problem_.classes));
  made.bias.resize(static_cast<std::size_t>(problem_.classes));
  for (std::int64_t v = 0; v <= problem_.features; ++v) {
    float* to = v == problem_.features
                    ? made.bias.data()
                    : &made.weights[static_cast<std::size_t>(v * problem_.classes)];
    add_logits(&weights_[static_cast<std::size_t>(v * machines_)], machines_, to);
  }
  return made;
}

OutOfFold LinearSvm::out_of_fold(std::span<const std::int64_t> fold_of, std::int64_t needed) const {
  const std::size_t n = problem_.which.size();
  if (fold_of.size() != n) throw Error("LinearSvm: rows and folds differ in number.");
  const std::vector<Group> groups = make_groups(machines_, pool_.threads());
  std::vector<float> margins(n * static_cast<std::size_t>(machines_));
  pool_.run(needed * std::ssize(groups), [&](std::int64_t task, std::int64_t) {
    throw_if_stopped();
    const std::int64_t fold = task / std::ssize(groups);
    const Group& group = groups[static_cast<std::size_t>(task % std::ssize(groups))];
    std::vector<bool> left_out(n);
    for (std::size_t i = 0; i < n; ++i) left_out[i] = fold_of[i] == fold;
    DualSolver solver(problem_, machines_, group.first, group.count);
    solver.start(weights_, dual_);  // from there it is not far
    solver.leave_out(left_out);
    solver.solve();
    for (std::size_t i = 0; i < n; ++i)
      if (left_out[i])
        solver.margins(i, &margins[i * static_cast<std::size_t>(machines_) +
                                   static_cast<std::size_t>(group.first)]);
  });
  OutOfFold found;
  for (std::size_t i = 0; i < n; ++i) {
    if (fold_of[i] >= needed) continue;
    found.places.push_back(i);
    found.logits.resize(found.logits.size() + static_cast<std::size_t>(problem_.classes));
    add_logits(&margins[i * static_cast<std::size_t>(machines_)], machines_,
               &found.logits[found.logits.size() - static_cast<std::size_t>(problem_.classes)]);
  }
  return found;
}

}  // namespace diffuse
