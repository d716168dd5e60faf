#pragma once

#include "mixer.hpp"

namespace diffuse {

/// What a head of attention does with queries, keys and values.
class Attention {
 public:
  virtual ~Attention() = default;
  /// Of packed rows q, k, v [N, heads, D / heads]; the result has their shape.
  virtual at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const TextGrid& grid) const = 0;
  virtual void visit(const std::string& prefix, const ParameterVisitor& visitor) {
    (void)prefix, (void)visitor;
  }
  virtual void visit_constants(const ParameterVisitor& visitor) { (void)visitor; }
};

/// What computes softmax attention: the flash kernel on packed rows (Dao 2023, arXiv:2307.08691),
/// told where each text begins, or LibTorch's scaled_dot_product_attention on the grid.
enum class AttentionKernel { flash, sdpa };

/// Which one does, of products of `type` in heads of `head_width` channels. LibTorch's flash kernel
/// is one for CUDA devices of compute capability 8.0 and up (`computes_bf16`, device/precision.hpp)
/// and half precision. It refuses widths that are no multiple of 8, more than 256 and, on the way
/// back on some of these devices (8.6, 8.9, 12.0), more than 192, which is the limit here on all.
AttentionKernel attention_kernel(bool computes_bf16, at::ScalarType type, std::int64_t head_width);

/// Its name for reports, of a model in `precision` (resolved): "flash, unpadded" or "SDPA".
std::string attention_kernel_name(at::Device device, Precision precision, std::int64_t head_width);
inline constexpr const char* kSdpaName = "SDPA";

/// softmax(q kᵀ / sqrt(d)) v of packed rows [N, heads, d], by the attention_kernel for them.
/// `dropout` of the weights, by the device's default generator, makes a CPU keep them.
at::Tensor softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                             const TextGrid& grid, double dropout);

/// softmax(q kᵀ / sqrt(d)) v (Vaswani et al. 2017, arXiv:1706.03762).
class SoftmaxAttention final : public Attention {
 public:
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const TextGrid& grid) const override;
};

/// Keys and values are first projected along the text, from L rows to `mixer.projected`, by a
/// matrix E for each head that the two share; a shorter text takes E's first columns (Wang et al.
/// 2020, arXiv:2006.04768).
class LinformerAttention final : public Attention {
 public:
  LinformerAttention(const MixerConfig& config, FreshTensors& tensors);
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const TextGrid& grid) const override;
  void visit(const std::string& prefix, const ParameterVisitor& visitor) override;

 private:
  at::Tensor projection_;  // [heads, projected, max_positions]
};

/// φ(q) (φ(k)ᵀ v) over φ(q) Σ φ(k), with positive random features φ of mixer.features projections
/// (Choromanski et al. 2021, arXiv:2009.14794). The projections are drawn once, orthogonal in
/// blocks of the head's width, from a seed that only the block's number decides, so that they need
/// not stand in a checkpoint.
class PerformerAttention final : public Attention {
 public:
  PerformerAttention(const MixerConfig& config, std::int64_t head_dim, std::int64_t block,
                     FreshTensors& tensors);
  at::Tensor attend(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                    const TextGrid& grid) const override;
  void visit_constants(const ParameterVisitor& visitor) override;

 private:
  /// Of x [B, heads, L, d]: queries, or the keys of a grid's texts.
  at::Tensor features(const at::Tensor& x, const TextGrid* of_keys) const;

  FeatureMap map_;
  at::Tensor projections_;  // [features, head_dim]
};

/// The pre-norm block: x + attention(norm(x)), then the same with a GELU network of one hidden
/// layer. In training mixer.dropout works on what is added.
class AttentionBlock final : public MixerBlock {
 public:
  AttentionBlock(const Config& config, std::unique_ptr<Attention> attention, FreshTensors& tensors);
  at::Tensor forward(const at::Tensor& x, const TextGrid& grid,
                     const ForwardContext& context) const override;
  void visit(const std::string& prefix, const ParameterVisitor& visitor) override;
  void visit_constants(const ParameterVisitor& visitor) override;

 private:
  std::int64_t heads_;
  double dropout_;
  LayerNorm attention_norm_;
  Linear qkv_;  // queries, keys and values in one product: [3 D, D]
  Linear out_;
  std::unique_ptr<Attention> attention_;
  LayerNorm hidden_norm_;
  Linear hidden_in_;
  Linear hidden_out_;
};

/// Width of the hidden layer.
std::int64_t hidden_dim(const Config& config);

}  // namespace diffuse
