#include "field.hpp"

namespace diffuse {

std::vector<Field> mixer_fields() {
  using enum ModelType;
  FieldTable<MixerConfig> table("mixer", &Config::mixer, types_of({ModelFamily::mixer}));
  const std::vector<ModelType> with_attention = {transformer, linformer, performer};
  table.add("heads", &MixerConfig::heads, "Attention heads. model.dim must be a multiple of it.")
      .between(1, 256)
      .in("heads")
      .only_for(with_attention);
  table
      .add("hidden_dim", &MixerConfig::hidden_dim,
           "Width of the hidden layer behind the attention. 0: 4 x model.dim.")
      .between(0, 65536)
      .in("channels")
      .only_for(with_attention);
  table
      .add("positions", &MixerConfig::positions,
           "Whether sines of the position are added to the embedding (Vaswani et al. 2017).")
      .only_for(with_attention);
  table.add("dropout", &MixerConfig::dropout, "Part of a block's outcome that training sets to 0.")
      .at_least(0)
      .below(1);
  table
      .add("max_positions", &MixerConfig::max_positions,
           "Longest text that the projection of the keys has weights for.")
      .between(1, 1048576)
      .in("tokens")
      .only_for({linformer});
  table.add("projected", &MixerConfig::projected, "Length that keys and values are projected to.")
      .between(1, 65536)
      .in("rows")
      .only_for({linformer});
  table
      .add("feature_map", &MixerConfig::feature_map,
           "Positive features whose products stand for the attention. relu: of random projections. "
           "softmax: FAVOR+, which approximates softmax attention.")
      .only_for({performer});
  table.add("features", &MixerConfig::features, "Random projections of a head.")
      .between(1, 65536)
      .in("features")
      .only_for({performer});
  table.add("state_dim", &MixerConfig::state_dim, "Size of the state for each channel.")
      .between(1, 4096)
      .only_for({mamba});
  table
      .add("head_dim", &MixerConfig::head_dim,
           "Channels that share a step size and a decay. mixer.expand x model.dim must be a "
           "multiple "
           "of it.")
      .between(1, 8192)
      .in("channels")
      .only_for({mamba});
  table.add("expand", &MixerConfig::expand, "Width of a block inside, over model.dim.")
      .between(1, 16)
      .only_for({mamba});
  table
      .add("conv_width", &MixerConfig::conv_width,
           "Tokens that the convolution before the state reads, the own and those before it.")
      .between(1, 64)
      .in("tokens")
      .only_for({mamba});
  table
      .add("chunk", &MixerConfig::chunk,
           "Tokens whose states are computed by products; from piece to piece they are handed on. "
           "Changes the speed, not the result.")
      .between(1, 4096)
      .in("tokens")
      .only_for({mamba});
  table
      .add("both_directions", &MixerConfig::both_directions,
           "Whether each block reads the text backwards, too, with weights of its own, and adds "
           "the two.")
      .only_for({mamba});
  return table.take();
}

}  // namespace diffuse
