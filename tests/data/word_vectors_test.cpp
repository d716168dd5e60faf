#include "diffuse/data/word_vectors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "data/support.hpp"
#include "diffuse/base/safetensors.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TempDir;

/// A vocabulary, and nothing else.
class Words : public Tokenizer {
 public:
  explicit Words(std::vector<std::string> words) : words_(std::move(words)) {}
  std::int64_t encode(std::string_view, std::int64_t, std::vector<std::int32_t>&) const override {
    return 0;
  }
  std::vector<PlacedToken> encode_placed(std::string_view, std::int64_t) const override {
    return {};
  }
  std::int64_t vocab_size() const override { return static_cast<std::int64_t>(words_.size()); }
  std::int32_t mask_id() const override { return 0; }
  std::int32_t unknown_id() const override { return 0; }
  std::string vocab_text() const override {
    std::string text;
    for (const std::string& word : words_) text += word + "\n";
    return text;
  }

 private:
  std::vector<std::string> words_;
};

class WordVectorsTest : public ::testing::Test {
 protected:
  WordVectors read(const std::string& content, const std::string& name = "v.vec",
                   std::int64_t dim = 2) {
    return read_word_vectors(dir_.write(name, content), dim, words_);
  }
  std::string error(const std::string& content, const std::string& name = "v.vec") {
    return message_of<DataError>([&] { read(content, name); });
  }
  /// A file of the tensors with their words beside it.
  std::string error_of_tensors(const std::vector<TensorView>& tensors, const std::string& words) {
    dir_.write("vocab.txt", words);
    const auto path = dir_.path() / "m.safetensors";
    write_safetensors(path, tensors);
    return message_of<DataError>([&] { read_word_vectors(path, 2, words_); });
  }

  TempDir dir_;
  Words words_{{"[PAD]", "red", "Blue", "straße"}};
};

template <class T>
TensorView tensor(const char* name, DType dtype, std::vector<std::int64_t> shape,
                  const std::vector<T>& values) {
  return {name, dtype, std::move(shape), std::as_bytes(std::span(values))};
}

TEST_F(WordVectorsTest, OfEveryTextFormAreTheSame) {
  const std::string rows = "green 9 9\nred 0.5 -1e-1\nBlue 3 4\n";
  for (const std::string& content :
       {rows, "3 2\n" + rows, std::string("green 9 9 \r\nred  0.5\t-0.1 \r\n\r\nBlue +3 4"),
        testing::gzip("3 2\n" + rows)}) {
    const WordVectors vectors = read(content);
    EXPECT_THAT(vectors.values, ElementsAre(0, 0, 0.5F, -0.1F, 3, 4, 0, 0));
    EXPECT_THAT(vectors.known, ElementsAre(false, true, true, false));
    EXPECT_EQ(vectors.known_count, 2);
    EXPECT_NEAR(vectors.root_mean_square, std::sqrt((0.25 + 0.01 + 9 + 16) / 4), 1e-6);
  }
}

TEST_F(WordVectorsTest, AWordAsItIsWrittenComesBeforeOneInLowerCaseBeforeOthers) {
  EXPECT_THAT(read("RED 1 1\nBLUE 2 2\n").values, ElementsAre(0, 0, 1, 1, 2, 2, 0, 0));
  EXPECT_THAT(read("RED 1 1\nred 3 3\nred 4 4\nBLUE 2 2\nblue 5 5\nBLUE 6 6\n").values,
              ElementsAre(0, 0, 3, 3, 5, 5, 0, 0));
  EXPECT_THAT(read("blue 5 5\nBlue 7 7\nred 1 1\nRed 2 2\n").values,
              ElementsAre(0, 0, 1, 1, 7, 7, 0, 0));
  EXPECT_THAT(read("STRAßE 1 2\n").values, ElementsAre(0, 0, 0, 0, 0, 0, 1, 2));
}

TEST_F(WordVectorsTest, AWordMayHoldBlanksAndNumbers) {
  EXPECT_THAT(read("x 1 1\n. . . 9 9\nred 1 2\n").values, ElementsAre(0, 0, 1, 2, 0, 0, 0, 0));
  EXPECT_THAT(read("12 1 1\nred 1 2\n").values, ElementsAre(0, 0, 1, 2, 0, 0, 0, 0));
}

TEST_F(WordVectorsTest, OfAnotherLengthSayWhatToSet) {
  const std::string expected =
      "v.vec:1: vectors of 3 numbers, but model.dim is 2; expected as many (--set model.dim=3) "
      "(model.embedding_file)";
  EXPECT_THAT(error("7 3\nred 1 2 3\n"), HasSubstr(expected));
  EXPECT_THAT(error("red 1 2 3\n"), HasSubstr(expected));
  EXPECT_THAT(error("red 1\n"), HasSubstr("v.vec:1: vectors of 1 numbers, but model.dim is 2"));
}

TEST_F(WordVectorsTest, ABadLineIsNamed) {
  EXPECT_THAT(error("green 9 9\nred 1\n"),
              HasSubstr("v.vec:2: 2 fields; expected a word and 2 numbers (model.embedding_file)"));
  EXPECT_THAT(error("green 9 9\nred\n"), HasSubstr("v.vec:2: 1 field; expected a word"));
  for (const char* value : {"x", "nan", "inf", "1,5"})
    EXPECT_THAT(error("green 9 9\nred 1 " + std::string(value) + "\n"),
                HasSubstr("v.vec:2: \"" + std::string(value) +
                          "\" is no number; expected a word and 2 numbers"));
  EXPECT_THAT(error("green 9 9\n" + std::string(std::size_t{17} << 20, 'x') + "\n"),
              HasSubstr("v.vec:2: the line is longer than 16 MiB"));
}

TEST_F(WordVectorsTest, AFileWithoutTheWordsIsRefused) {
  const std::string message =
      "none of the 4 words of the vocabulary has a vector there; expected vectors of the texts' "
      "language (model.embedding_file)";
  EXPECT_THAT(error("green 9 9\n"), HasSubstr(message));
  EXPECT_THAT(error(""), HasSubstr(message));
  EXPECT_THAT(message_of<DataError>([&] { read_word_vectors(dir_.path() / "no.vec", 2, words_); }),
              AllOf(HasSubstr("model.embedding_file"), HasSubstr("no.vec")));
}

TEST_F(WordVectorsTest, OfSafetensorsStandBesideTheirWords) {
  dir_.write("vocab.txt", "green\nred\nBlue\n");
  const auto path = dir_.path() / "m.safetensors";
  const std::vector<float> values = {9, 9, 0.5F, -2, 3, 4};
  const std::vector<std::uint16_t> half = {0x4880, 0x4880, 0x3800, 0xC000, 0x4200, 0x4400};
  const std::vector<std::uint16_t> bf16 = {0x4110, 0x4110, 0x3F00, 0xC000, 0x4040, 0x4080};
  const std::vector<double> wide(values.begin(), values.end());
  const std::vector<float> bias = {1, 2};
  for (const TensorView& vectors :
       {tensor("any", DType::f32, {3, 2}, values), tensor("any", DType::f16, {3, 2}, half),
        tensor("any", DType::bf16, {3, 2}, bf16), tensor("any", DType::f64, {3, 2}, wide)}) {
    write_safetensors(path, std::vector<TensorView>{vectors, tensor("b", DType::f32, {2}, bias)});
    EXPECT_THAT(read_word_vectors(path, 2, words_).values, ElementsAre(0, 0, 0.5F, -2, 3, 4, 0, 0));
  }
  write_safetensors(
      path, std::vector<TensorView>{tensor("a", DType::f32, {2, 3}, values),
                                    tensor("embedding.weight", DType::f32, {3, 2}, values)});
  EXPECT_EQ(read_word_vectors(path, 2, words_).known_count, 2) << "of several the embedding";
}

TEST_F(WordVectorsTest, SafetensorsThatDoNotFitAreRefused) {
  const std::vector<float> values = {9, 9, 0.5F, -2, 3, 4};
  const std::vector<std::int32_t> whole = {9, 9, 5, -2, 3, 4};
  const std::vector<float> infinite = {9, 9, INFINITY, -2, 3, 4};
  const std::string words = "green\nred\nBlue\n";
  EXPECT_THAT(
      error_of_tensors({tensor("a", DType::f32, {6}, values)}, words),
      HasSubstr("m.safetensors: which tensor holds the vectors? Expected one tensor [words, "
                "model.dim], or one called embedding.weight; found none of two dimensions"));
  EXPECT_THAT(error_of_tensors({tensor("a", DType::f32, {3, 2}, values),
                                tensor("b", DType::f32, {2, 3}, values)},
                               words),
              HasSubstr("found a, b (model.embedding_file)"));
  EXPECT_THAT(error_of_tensors({tensor("a", DType::i32, {3, 2}, whole)}, words),
              HasSubstr("the tensor \"a\": holds I32; expected F32, F64, F16 or BF16"));
  EXPECT_THAT(error_of_tensors({tensor("a", DType::f32, {2, 3}, values)}, words),
              HasSubstr("the tensor \"a\": vectors of 3 numbers, but model.dim is 2"));
  EXPECT_THAT(error_of_tensors({tensor("a", DType::f32, {3, 2}, infinite)}, words),
              HasSubstr("the tensor \"a\": row 2 holds a value that is not finite"));
  EXPECT_THAT(error_of_tensors({tensor("a", DType::f32, {3, 2}, values)}, "green\nred\n"),
              HasSubstr("vocab.txt: 2 lines for the 3 rows of the tensor \"a\" of m.safetensors; "
                        "expected a word a row"));
  std::filesystem::remove(dir_.path() / "vocab.txt");
  EXPECT_THAT(
      message_of<DataError>([&] { read_word_vectors(dir_.path() / "m.safetensors", 2, words_); }),
      AllOf(HasSubstr("the words of model.embedding_file"), HasSubstr("vocab.txt")));
}

TEST_F(WordVectorsTest, TheFirstWordsComeInTheOrderOfTheFile) {
  const auto words = [&](const std::string& content, std::int64_t count) {
    return read_vector_words(dir_.write("w.vec", content), 2, count);
  };
  EXPECT_THAT(words("3 2\nthe 1 1\n. . 2 2\nof 3 x\n", 2), ElementsAre("the", ". ."));
  EXPECT_THAT(words("the 1 1\nof 3 3\n", 10), ElementsAre("the", "of"));
  EXPECT_TRUE(words("the 1 1\n", 0).empty());
  EXPECT_THAT(message_of<DataError>([&] { words("the 1 1 1\n", 5); }),
              HasSubstr("vectors of 3 numbers, but model.dim is 2"));
}

TEST_F(WordVectorsTest, TheShareOfTokensIsCountedByRows) {
  const WordVectors vectors = read("red 1 2\n");
  EncodedDataset data;
  data.append(std::vector<std::int32_t>{1, 1, 2}, 0, 1);
  data.append(std::vector<std::int32_t>{3}, 0, 2);
  EXPECT_DOUBLE_EQ(known_share(vectors, view_all(data)), 0.5);
  EXPECT_DOUBLE_EQ(known_share(vectors, {&data, {1}}), 0);
}

}  // namespace
}  // namespace diffuse
