#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diffuse/config/config.hpp"
#include "diffuse/model/classifier.hpp"

namespace diffuse {

/// What `config.json` of a Hugging Face folder says of a BERT or DistilBERT.
struct BertFolder {
  BertFamilyConfig sizes;  ///< `pretrained` is empty
  std::int64_t vocab_size = 30522;
  std::int64_t pad_id = 0;
};

/// Reads the folder of a `type` (bert or distilbert); keys left out have transformers' defaults. A
/// BERT beside whose files `1_Pooling/config.json` stands, as sentence-transformers writes them, is
/// read by the mean of its tokens where that says so. Throws CheckpointError where a file is
/// missing or no JSON, where the model is none of `type` with gelu, positions of its own and an
/// epsilon of 1e-12, a value is out of range, or it asks for far more parameters than
/// `model.safetensors` in the folder can hold.
BertFolder read_bert_folder(const std::filesystem::path& folder, ModelType type);

/// Throws CheckpointError, with what to do about it, unless `model.safetensors` is in the folder:
/// nothing but it tells whether the sizes that read_bert_folder gives may be believed.
void check_pretrained_weights(const std::filesystem::path& folder);

/// What load_pretrained did. Names as they stand in the model or the file.
struct PretrainedReport {
  std::vector<std::string> missing;     ///< of the head, not in the file: left as they were
  std::vector<std::string> unexpected;  ///< in the file, not in the model: not used
  std::int64_t loaded = 0;              ///< tensors copied
};

/// Copies the tensors of `model.safetensors` of a Hugging Face folder into the classifier's
/// parameters by name, those that begin with `body` ("bert.") with or without it. Only others, the
/// head, may be missing. Throws CheckpointError listing every other missing tensor and every one of
/// another shape or element type; then nothing has been copied.
PretrainedReport load_pretrained(Classifier& classifier, const std::filesystem::path& folder,
                                 const std::string& body);

}  // namespace diffuse
