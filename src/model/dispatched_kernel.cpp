#include "dispatched_kernel.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/add.h>
#include <ATen/ops/empty_like.h>

#include "diffuse/base/error.hpp"
#include "diffuse/ops/dispatched/diffusion.hpp"
#include "diffuse/ops/dispatched/initial_state.hpp"

namespace diffuse {
namespace {

at::Tensor place_of(const Batch& batch, const ForwardContext& context) {
  return context.device_place.defined() ? context.device_place
                                        : random_place(context.place, batch.tokens);
}

/// Makes the sum a leaf.
void read_rows(const InitialState& parts, EmbeddingAccess& access) {
  const auto read = [&](const at::Tensor& table, const at::Tensor& ids, double scale) {
    if (!table.defined()) return;
    access.read.push_back({sort_ids(ids), scale});
    access.before_rows(access.read.size() - 1, access.read.back().ids);
  };
  const at::NoGradGuard no_gradient;
  read(parts.words, parts.word_ids, 1);
  read(parts.pairs, parts.pair_ids, parts.pair_scale);
  access.sum = initial_state(parts);
  access.sum.set_requires_grad(true);
}

}  // namespace

/// Where somebody asks for the sum of the tables' rows it is made apart from noise and dropout.
at::Tensor DispatchedKernel::initial(const Batch& batch, const TextRows& texts,
                                     const ForwardContext& context) const {
  const DiffusionSpec& spec = stack_.spec();
  InitialState parts{.words = embedding_.weight(), .word_ids = batch.tokens};
  at::Tensor place;
  if (context.training) place = place_of(batch, context);
  if (context.training && embedding_.token_dropout() > 0)
    parts.word_ids =
        dropped_ids(batch.tokens, place, RandomStream::token_dropout, embedding_.token_dropout(),
                    embedding_.token_dropout_span(), embedding_.mask_id());
  if (embedding_.bigram_buckets() > 0) {
    parts.pairs = embedding_.bigrams();
    parts.pair_ids = pair_ids(parts.word_ids, texts, embedding_.bigram_buckets());
    if (const double dropout = embedding_.bigram_dropout(); context.training && dropout > 0) {
      parts.pair_ids =
          dropped_ids(parts.pair_ids, place, RandomStream::bigram_dropout, dropout, 1, -1);
      parts.pair_scale = 1.0 / (1.0 - dropout);
    }
  }
  bool noise = spec.noise_std > 0;
  if (EmbeddingAccess* const access = context.embeddings) {
    if (access->before_rows) {
      if (!access->sum.defined()) read_rows(parts, *access);
    } else {
      access->sum = initial_state(parts);
      if (access->sum.requires_grad()) access->sum.retain_grad();
    }
    noise = noise && access->noise;
    parts = {.given = access->step.defined() ? at::add(access->sum, access->step) : access->sum};
  }
  if (context.training) {
    const bool drawn = noise || spec.embedding_dropout > 0;
    if (!drawn && parts.given.defined()) return parts.given;
    parts.place = place;
    parts.noise_std = noise ? spec.noise_std : 0;
    parts.dropout = spec.embedding_dropout;
  } else if (noise && embedding_.noise_at_evaluation()) {
    // Evaluation draws one number after the other: another batch has another place nowhere.
    if (!context.generator.defined())
      throw Error("The model adds noise here, but ForwardContext has no generator.");
    const at::Tensor sum = initial_state(parts);
    return at::add(sum, at::empty_like(sum, sum.options().requires_grad(false))
                            .normal_(0.0, spec.noise_std, context.generator));
  }
  return initial_state(parts);
}

at::Tensor DispatchedKernel::states(const Batch& batch, const TextRows& texts,
                                    const ForwardContext& context) const {
  return dispatched_diffusion(stack_.spec(), stack_.parameters(), initial(batch, texts, context),
                              texts);
}

at::Tensor DispatchedKernel::states(const Batch& batch, const ForwardContext& context) const {
  return states(batch, TextRows(batch.offsets, batch.token_count()), context);
}

at::Tensor DispatchedKernel::logits(const Batch& batch, const ForwardContext& context,
                                    const Head& head) const {
  const TextRows texts(batch.offsets, batch.token_count());
  at::Tensor pooled =
      pool_texts(states(batch, texts, context), texts, stack_.spec().pooling.value());
  if (batch.filled_up) pooled = pooled.narrow(0, 0, batch.size());
  if (!context.training || head.dropout_probability() == 0)
    return head.forward(pooled, [](const at::Tensor& x, RandomStream) { return x; });
  const at::Tensor place = place_of(batch, context);
  return head.forward(pooled, [&](const at::Tensor& x, RandomStream stream) {
    return dropped_elements(x, place, stream, head.dropout_probability());
  });
}

}  // namespace diffuse
