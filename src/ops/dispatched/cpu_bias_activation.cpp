#include "cpu_bias_activation.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>
#include <vector>

#include "activation_of_tensors.hpp"
#include "chunk_sums.hpp"
#include "for_elements.hpp"
#include "types_of_elements.hpp"

namespace diffuse::cpu {

at::Tensor bias_activation(const at::Tensor& product, const at::Tensor& bias,
                           std::int64_t activation, bool gated) {
  at::Tensor result;
  with_element_and_sum(product.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    const auto of = activation_of<T, decltype(sum)>(product, bias, activation, gated);
    result = at::empty({of.rows, of.dim}, product.options());
    T* const to = result.mutable_data_ptr<T>();
    for_elements(of.rows, of.dim, [&](std::int64_t row, std::int64_t channel) {
      to[row * of.dim + channel] = rows::activated(of, row, channel);
    });
  });
  return result;
}

std::tuple<at::Tensor, at::Tensor> bias_activation_backward(const at::Tensor& gradient,
                                                            const at::Tensor& product,
                                                            const at::Tensor& bias,
                                                            std::int64_t activation, bool gated) {
  at::Tensor to_product = at::empty_like(product);
  at::Tensor to_bias = at::empty_like(bias);
  with_element_and_sum(product.scalar_type(), [&](auto element, auto sum) {
    using T = decltype(element);
    using A = decltype(sum);
    const auto of = activation_of<T, A>(product, bias, activation, gated);
    const T* const own = gradient.const_data_ptr<T>();
    T* const to = to_product.mutable_data_ptr<T>();
    const auto sums =
        sums_over_rows<A>(of.rows, of.width(), [&](std::int64_t begin, std::int64_t end, A* all) {
          for (std::int64_t channel = 0; channel < of.dim; ++channel)
            rows::add_product_gradients(of, own, begin, end, channel, to, all[of.active(channel)],
                                        all[channel]);
        });
    std::ranges::copy(sums, to_bias.mutable_data_ptr<A>());
  });
  return {to_product, to_bias};
}

}  // namespace diffuse::cpu
