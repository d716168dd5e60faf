#include "cpu_text_loss.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <cstdint>

#include "for_elements.hpp"
#include "losses_of_tensors.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {
namespace {

template <class A>
void losses_in(const rows::TextLosses<A>& losses, A* loss, A* gradient, std::int64_t* correct) {
  for_elements(losses.texts, 1, [&](std::int64_t text, std::int64_t) {
    rows::Top<A> top = rows::no_top<A>();
    for (int lane = 0; lane < rows::kLanes; ++lane)
      top = rows::larger(top, rows::lane_top(losses, text, lane));
    rows::LaneSums<A> sums{};
    for (int lane = 0; lane < rows::kLanes; ++lane)
      sums = rows::joined_sums(sums, rows::lane_sums(losses, text, top.value, lane));
    loss[text] = rows::text_loss(losses, text, sums);
    correct[text] = rows::is_correct(losses, text, top, sums) ? 1 : 0;
    for (std::int64_t c = 0; c < losses.classes; ++c)
      gradient[text * losses.classes + c] = rows::logit_gradient(losses, text, c, top.value, sums);
  });
}

}  // namespace

std::tuple<at::Tensor, at::Tensor, at::Tensor> text_losses(
    const at::Tensor& logits, const at::Tensor& labels,
    const std::optional<at::Tensor>& distributions, const std::optional<at::Tensor>& weights,
    bool several, double smoothing) {
  at::Tensor loss = at::empty({logits.size(0)}, logits.options());
  at::Tensor gradient = at::empty_like(logits);
  at::Tensor correct = at::empty({logits.size(0)}, labels.options());
  with_sums(logits, [&](auto sum) {
    using A = decltype(sum);
    losses_in(losses_of<A>(logits, labels, distributions, weights, several, smoothing),
              loss.mutable_data_ptr<A>(), gradient.mutable_data_ptr<A>(),
              correct.mutable_data_ptr<std::int64_t>());
  });
  return {loss, gradient, correct};
}

}  // namespace diffuse::cpu
