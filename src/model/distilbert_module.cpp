// DistilBERT as TorchScript. Numbers of the shape stand in the source text, because an attribute
// would be read anew at every call. Names are those of transformers' classes, which are also the
// names in its files.

#include "distilbert_module.hpp"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include "torchscript_impl.hpp"

namespace diffuse {
namespace {

using torch::jit::Module;

class Builder {
 public:
  Builder(const DistilBertShape& shape, at::Device device) : shape_(shape), device_(device) {}

  Module classifier() const;

 private:
  Module module(const std::string& class_name) const;
  void add_parameter(Module& module, const std::string& name, at::IntArrayRef sizes) const;
  Module linear(std::int64_t in, std::int64_t out) const;
  Module layer_norm() const;
  Module embedding(std::int64_t rows) const;
  Module embeddings() const;
  Module attention() const;
  Module feed_forward() const;
  Module block() const;
  Module transformer() const;
  Module distilbert() const;

  const DistilBertShape& shape_;
  at::Device device_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_ =
      std::make_shared<torch::jit::CompilationUnit>();
};

/// The shortest text that reads back as the same number, with a point.
std::string number(double value) { return fmt::format("{:#}", value); }

Module Builder::module(const std::string& class_name) const {
  Module result(c10::QualifiedName(kDistilBertScope + class_name), unit_,
                /*shouldMangle=*/true);
  result.register_attribute("training", c10::BoolType::get(), true);
  return result;
}

void Builder::add_parameter(Module& module, const std::string& name, at::IntArrayRef sizes) const {
  module.register_parameter(name, at::empty(sizes, at::TensorOptions(device_).dtype(at::kFloat)),
                            /*is_buffer=*/false);
}

Module Builder::linear(std::int64_t in, std::int64_t out) const {
  Module result = module(kLinearClass);
  add_parameter(result, "weight", {out, in});
  add_parameter(result, "bias", {out});
  result.define(R"(
def forward(self, x):
    return torch.linear(x, self.weight, self.bias)
)");
  return result;
}

Module Builder::layer_norm() const {
  Module result = module("LayerNorm");
  add_parameter(result, "weight", {shape_.dim});
  add_parameter(result, "bias", {shape_.dim});
  result.define(fmt::format(R"(
def forward(self, x):
    return torch.layer_norm(x, [{}], self.weight, self.bias, 1e-12)
)",
                            shape_.dim));
  return result;
}

Module Builder::embedding(std::int64_t rows) const {
  Module result = module("Embedding");
  add_parameter(result, "weight", {rows, shape_.dim});
  return result;
}

Module Builder::embeddings() const {
  Module result = module("Embeddings");
  result.register_module("word_embeddings", embedding(shape_.vocab_size));
  result.register_module("position_embeddings", embedding(shape_.max_positions));
  result.register_module("LayerNorm", layer_norm());
  // The padding token's row is named so that it takes no gradient.
  result.define(fmt::format(R"(
def forward(self, input_ids):
    words = torch.embedding(self.word_embeddings.weight, input_ids, {pad_id})
    positions = torch.narrow(self.position_embeddings.weight, 0, 0, input_ids.size(1))
    x = self.LayerNorm.forward(words + positions)
    return torch.dropout(x, {dropout}, self.training)
)",
                            fmt::arg("pad_id", shape_.pad_id),
                            fmt::arg("dropout", number(shape_.dropout))));
  return result;
}

Module Builder::attention() const {
  Module result = module("MultiHeadSelfAttention");
  for (const char* name : {"q_lin", "k_lin", "v_lin", "out_lin"}) {
    result.register_module(name, linear(shape_.dim, shape_.dim));
  }
  result.define(fmt::format(R"(
def forward(self, x, mask: Optional[Tensor]):
    split = [x.size(0), x.size(1), {heads}, {head_dim}]
    q = self.q_lin.forward(x).view(split).transpose(1, 2)
    k = self.k_lin.forward(x).view(split).transpose(1, 2)
    v = self.v_lin.forward(x).view(split).transpose(1, 2)
    dropout = {dropout} if self.training else 0.0
    heads = torch.scaled_dot_product_attention(q, k, v, mask, dropout)
    return self.out_lin.forward(heads.transpose(1, 2).reshape(x.size()))
)",
                            fmt::arg("heads", shape_.heads),
                            fmt::arg("head_dim", shape_.dim / shape_.heads),
                            fmt::arg("dropout", number(shape_.attention_dropout))));
  return result;
}

Module Builder::feed_forward() const {
  Module result = module("FFN");
  result.register_module("lin1", linear(shape_.dim, shape_.hidden_dim));
  result.register_module("lin2", linear(shape_.hidden_dim, shape_.dim));
  result.define(fmt::format(R"(
def forward(self, x):
    x = self.lin2.forward(torch.gelu(self.lin1.forward(x)))
    return torch.dropout(x, {}, self.training)
)",
                            number(shape_.dropout)));
  return result;
}

Module Builder::block() const {
  Module result = module("TransformerBlock");
  result.register_module("attention", attention());
  result.register_module("sa_layer_norm", layer_norm());
  result.register_module("ffn", feed_forward());
  result.register_module("output_layer_norm", layer_norm());
  result.define(R"(
def forward(self, x, mask: Optional[Tensor]):
    x = self.sa_layer_norm.forward(self.attention.forward(x, mask) + x)
    return self.output_layer_norm.forward(self.ffn.forward(x) + x)
)");
  return result;
}

Module Builder::transformer() const {
  Module blocks = module("Blocks");
  std::string source = "def forward(self, x, mask: Optional[Tensor]):\n";
  for (std::int64_t i = 0; i < shape_.layers; ++i) {
    blocks.register_module(std::to_string(i), block());
    source += fmt::format("    x = getattr(self, \"{}\").forward(x, mask)\n", i);
  }
  blocks.define(source + "    return x\n");
  Module result = module("Transformer");
  result.register_module("layer", blocks);
  result.define(R"(
def forward(self, x, mask: Optional[Tensor]):
    return self.layer.forward(x, mask)
)");
  return result;
}

Module Builder::distilbert() const {
  Module result = module("DistilBert");
  result.register_module("embeddings", embeddings());
  result.register_module("transformer", transformer());
  result.define(R"(
def forward(self, input_ids, mask: Optional[Tensor]):
    return self.transformer.forward(self.embeddings.forward(input_ids), mask)
)");
  return result;
}

Module Builder::classifier() const {
  Module result = module("DistilBertClassifier");
  result.register_module("distilbert", distilbert());
  result.register_module("pre_classifier", linear(shape_.dim, shape_.dim));
  result.register_module("classifier", linear(shape_.dim, shape_.class_count));
  result.register_attribute(kMaxTokensAttribute, c10::IntType::get(), shape_.max_positions);
  // A text's own method where nothing is padded: without a mask attention may take faster kernels.
  result.define(fmt::format(R"(
def classify(self, input_ids, mask: Optional[Tensor]):
    hidden = torch.select(self.distilbert.forward(input_ids, mask), 1, 0)
    hidden = torch.relu(self.pre_classifier.forward(hidden))
    return self.classifier.forward(torch.dropout(hidden, {dropout}, self.training))

def forward(self, input_ids, attention_mask):
    mask = torch.ne(attention_mask, 0).unsqueeze(1).unsqueeze(1)
    return self.classify(input_ids, mask)

def forward_unpadded(self, input_ids):
    return self.classify(input_ids, None)
)",
                            fmt::arg("dropout", number(shape_.classifier_dropout))));
  return result;
}

}  // namespace

torch::jit::Module build_distilbert(const DistilBertShape& shape, at::Device device) {
  return Builder(shape, device).classifier();
}

}  // namespace diffuse
