#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "diffuse/base/error.hpp"
#include "diffuse/model/checkpoint.hpp"
#include "diffuse/model/model_factory.hpp"
#include "support.hpp"
#include "support/temp_dir.hpp"

namespace diffuse::testing {

/// The message of the CheckpointError that `work` throws.
template <class Work>
std::string checkpoint_error(Work&& work) {
  try {
    work();
  } catch (const CheckpointError& error) {
    return error.what();
  }
  return "no CheckpointError";
}

/// A model of the words tokenizer with 10 tokens and two labels, and its checkpoint in a folder.
class CheckpointFixture : public ::testing::Test {
 protected:
  CheckpointFixture() {
    config_.model = small_config();
    const std::filesystem::path vocab =
        dir_.write("v.txt", "[PAD]\n[UNK]\n[MASK]\nthe\ncat\nsat\non\na\nmat\n.\n");
    tokenizer_ = load_tokenizer(config_.tokenizer, vocab);
    model_ = make_classifier(config_, {10, 2, tokenizer_->mask_id()}, 5);
    std::filesystem::create_directories(folder());
    save(*model_);
  }

  std::filesystem::path folder() const { return dir_.path() / "step"; }

  void save(const Classifier& model) {
    std::vector<at::Tensor> values;
    for (const NamedParameter& p : model.parameters()) values.push_back(p.tensor);
    save_model(folder(), config_, *tokenizer_, labels_, model, values);
  }

  TempDir dir_;
  Config config_;
  std::unique_ptr<Tokenizer> tokenizer_;
  Labels labels_{std::vector<std::string>{"dog", "cat"}};
  std::unique_ptr<Classifier> model_;
};

}  // namespace diffuse::testing
