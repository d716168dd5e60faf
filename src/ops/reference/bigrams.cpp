#include "diffuse/ops/reference/bigrams.hpp"

#include <ATen/ops/bitwise_and.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/bitwise_xor.h>
#include <ATen/ops/zeros_like.h>

namespace diffuse {

at::Tensor reference_bigram_rows(const at::Tensor& tokens, const at::Tensor& offsets,
                                 std::int64_t buckets) {
  const at::Scalar bits = std::int64_t{0x7FFFFFFF};
  const at::Tensor ids = tokens.to(at::kLong);
  const std::int64_t count = ids.size(0);
  at::Tensor previous = at::zeros_like(ids);
  previous.narrow(0, 1, count - 1).copy_(ids.narrow(0, 0, count - 1)).add_(1);
  previous.index_fill_(0, offsets.narrow(0, 0, offsets.size(0) - 1).to(at::kLong), 0);
  const auto right = [](const at::Tensor& x, std::int64_t by) {
    return at::bitwise_right_shift(x, at::Scalar(by));
  };
  const at::Tensor pair =
      previous.mul(std::int64_t{0x5BD1E995}).add(ids.mul(std::int64_t{0x1B873593}));
  const at::Tensor mixed =
      at::bitwise_and(at::bitwise_xor(pair, right(pair, 31)), bits).mul(std::int64_t{0x2545F491});
  return right(at::bitwise_and(right(mixed, 15), bits).mul(buckets), 31);
}

}  // namespace diffuse
