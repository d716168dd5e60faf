#include "diffuse/ops/dispatched/initial_state.hpp"

#include <ATen/ops/empty.h>
#include <fmt/core.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <utility>

#include "cpu_initial_state.hpp"
#include "diffuse/base/error.hpp"
#include "diffuse/ops/dispatched/row_adamw.hpp"
#include "operation.hpp"

TORCH_LIBRARY_FRAGMENT(diffuse, library) {
  library.def("random_place(Tensor like, int seed, int rest) -> Tensor");
  library.def(
      "dropped_ids(Tensor ids, Tensor place, int stream, float probability, int span, int other) "
      "-> Tensor");
  library.def("pair_ids(Tensor tokens, Tensor offsets, Tensor of_row, int buckets) -> Tensor");
  library.def(
      "initial_state(Tensor? words, Tensor? word_ids, Tensor? pairs, Tensor? pair_ids, float "
      "pair_scale, Tensor? given, Tensor? place, float noise_std, float dropout) -> Tensor");
  library.def("dropped_elements(Tensor x, Tensor place, int stream, float probability) -> Tensor");
  library.def(
      "sum_rows(Tensor source, Tensor ids, Tensor order, int count, float scale) -> Tensor");
}

TORCH_LIBRARY_IMPL(diffuse, CPU, library) {
  library.impl("random_place", &diffuse::cpu::random_place);
  library.impl("dropped_ids", &diffuse::cpu::dropped_ids);
  library.impl("pair_ids", &diffuse::cpu::pair_ids);
  library.impl("initial_state", &diffuse::cpu::initial_state);
  library.impl("dropped_elements", &diffuse::cpu::dropped_elements);
  library.impl("sum_rows", &diffuse::cpu::sum_rows);
}

namespace diffuse {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() && tensor.dim() > 0 ? std::optional(tensor) : std::nullopt;
}

/// `tensor`, or a scalar in its place: an autograd function takes none that is undefined.
at::Tensor or_none(const at::Tensor& tensor, const InitialState& parts) {
  if (tensor.defined()) return tensor;
  const at::Tensor& other = parts.words.defined() ? parts.words : parts.given;
  return at::empty({}, other.options().requires_grad(false));
}

at::Tensor call_dropped_elements(const at::Tensor& x, const at::Tensor& place, RandomStream stream,
                                 double probability) {
  static const auto call = operation("diffuse::dropped_elements", &cpu::dropped_elements);
  return call.call(x, place, static_cast<std::int64_t>(stream), probability);
}

/// The sums of the rows of each id, [table.size(0), D].
at::Tensor table_gradient(const at::Tensor& rows, const at::Tensor& ids, std::int64_t count,
                          double scale) {
  static const auto call = operation("diffuse::sum_rows", &cpu::sum_rows);
  const SortedIds sorted = sort_ids(ids);
  return call.call(rows, sorted.ids, sorted.order, count, scale);
}

class InitialStateFunction : public torch::autograd::Function<InitialStateFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& words,
                            const at::Tensor& pairs, const at::Tensor& given,
                            const InitialState& parts) {
    static const auto call = operation("diffuse::initial_state", &cpu::initial_state);
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({parts.word_ids, parts.pair_ids, parts.place});
    context->saved_data["dropout"] = parts.dropout;
    context->saved_data["pair_scale"] = parts.pair_scale;
    context->saved_data["words"] = words.dim() > 0 ? words.size(0) : 0;
    context->saved_data["pairs"] = pairs.dim() > 0 ? pairs.size(0) : 0;
    return call.call(optional(words), optional(parts.word_ids), optional(pairs),
                     optional(parts.pair_ids), parts.pair_scale, optional(given),
                     optional(parts.place), parts.noise_std, parts.dropout);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const double dropout = context->saved_data["dropout"].toDouble();
    at::Tensor rows = gradients[0].contiguous();
    if (saved[2].defined() && dropout > 0)
      rows = call_dropped_elements(rows, saved[2], RandomStream::embedding_dropout, dropout);
    variable_list found(4);
    if (context->needs_input_grad(0))
      found[0] = table_gradient(rows, saved[0], context->saved_data["words"].toInt(), 1);
    if (context->needs_input_grad(1))
      found[1] = table_gradient(rows, saved[1], context->saved_data["pairs"].toInt(),
                                context->saved_data["pair_scale"].toDouble());
    if (context->needs_input_grad(2)) found[2] = rows;
    return found;
  }
};

class DroppedElements : public torch::autograd::Function<DroppedElements> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& place,
                            RandomStream stream, double probability) {
    const at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({place});
    context->saved_data["stream"] = static_cast<std::int64_t>(stream);
    context->saved_data["probability"] = probability;
    return call_dropped_elements(x, place, stream, probability);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto stream = static_cast<RandomStream>(context->saved_data["stream"].toInt());
    return {call_dropped_elements(gradients[0].contiguous(), context->get_saved_variables()[0],
                                  stream, context->saved_data["probability"].toDouble()),
            {},
            {},
            {}};
  }
};

bool table_fits(const at::Tensor& table, const at::Tensor& ids, std::int64_t rows,
                std::int64_t dim) {
  if (!table.defined()) return true;
  return table.dim() == 2 && table.size(1) == dim && ids.defined() &&
         ids.scalar_type() == at::kInt && ids.dim() == 1 && ids.size(0) == rows;
}

void check(const InitialState& parts) {
  const bool from_words =
      parts.words.defined() && parts.words.dim() == 2 && parts.word_ids.defined();
  const bool from_given = parts.given.defined() && parts.given.dim() == 2;
  bool fits = from_words || from_given;
  if (fits) {
    const std::int64_t rows = from_words ? parts.word_ids.size(0) : parts.given.size(0);
    const std::int64_t dim = (from_words ? parts.words : parts.given).size(1);
    fits = table_fits(parts.words, parts.word_ids, rows, dim) &&
           table_fits(parts.pairs, parts.pair_ids, rows, dim) &&
           (!parts.given.defined() ||
            (from_given && parts.given.size(0) == rows && parts.given.size(1) == dim));
  }
  if (!fits)
    throw Error(
        "initial_state: expected a table [V, D] with ids int32 [N] of it, rows [N, D] that are "
        "given, or both; and of pairs the same.");
}

}  // namespace

at::Tensor random_place(const RandomPlace& place, const at::Tensor& like) {
  static const auto call = operation("diffuse::random_place", &cpu::random_place);
  const std::uint64_t rest = std::uint64_t{place.batch} << 32 | place.update;
  return call.call(like, static_cast<std::int64_t>(place.seed), static_cast<std::int64_t>(rest));
}

at::Tensor dropped_ids(const at::Tensor& ids, const at::Tensor& place, RandomStream stream,
                       double probability, std::int64_t span, std::int32_t other) {
  static const auto call = operation("diffuse::dropped_ids", &cpu::dropped_ids);
  return call.call(ids, place, static_cast<std::int64_t>(stream), probability, span, other);
}

at::Tensor pair_ids(const at::Tensor& tokens, const TextRows& texts, std::int64_t buckets) {
  static const auto call = operation("diffuse::pair_ids", &cpu::pair_ids);
  return call.call(tokens, texts.offsets, texts.of_row, buckets);
}

at::Tensor initial_state(const InitialState& parts) {
  check(parts);
  return InitialStateFunction::apply(or_none(parts.words, parts), or_none(parts.pairs, parts),
                                     or_none(parts.given, parts), parts);
}

at::Tensor dropped_elements(const at::Tensor& x, const at::Tensor& place, RandomStream stream,
                            double probability) {
  return DroppedElements::apply(x.contiguous(), place, stream, probability);
}

}  // namespace diffuse
