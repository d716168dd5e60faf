#include "diffuse/base/safetensors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "diffuse/base/error.hpp"
#include "diffuse/base/files.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::ThrowsMessage;

template <class T>
TensorView view_of(std::string name, DType dtype, std::vector<std::int64_t> shape,
                   const std::vector<T>& values) {
  return {std::move(name), dtype, std::move(shape), std::as_bytes(std::span(values))};
}

template <class T>
std::vector<T> values_of(const TensorView& tensor) {
  std::vector<T> values(tensor.bytes.size() / sizeof(T));
  if (!values.empty()) std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

const std::vector<float> kWeights = {0.5f, -1, 2, 3, 4, 5};
const std::vector<std::uint8_t> kFlags = {1, 0, 255};

/// Makes the values of `kWeights`, `count` at a time.
TensorView made_in_parts(std::size_t count, std::vector<std::int64_t> shape = {2, 3}) {
  TensorView view{"w", DType::f32, std::move(shape), {}};
  view.next = [count, done = std::size_t{0}]() mutable {
    const std::span<const float> part = std::span(kWeights).subspan(done, count);
    done += count;
    return std::as_bytes(part);
  };
  return view;
}

TEST(WriteSafetensors, WritesATensorThatIsMadeInParts) {
  const testing::TempDir dir;
  const TensorView flags = view_of("b", DType::u8, {3}, kFlags);
  write_safetensors(dir.path() / "whole",
                    std::vector{view_of("w", DType::f32, {2, 3}, kWeights), flags});
  write_safetensors(dir.path() / "parts", std::vector{made_in_parts(2), flags});
  EXPECT_EQ(read_file(dir.path() / "parts"), read_file(dir.path() / "whole"));
  EXPECT_THAT([&] { write_safetensors(dir.path() / "none", std::vector{made_in_parts(0)}); },
              ThrowsMessage<Error>("Tensor \"w\" makes 0 bytes, of 24 that its shape leaves."));
  EXPECT_THAT([&] { write_safetensors(dir.path() / "long", std::vector{made_in_parts(2, {3})}); },
              ThrowsMessage<Error>("Tensor \"w\" makes 8 bytes, of 4 that its shape leaves."));
}

TEST(WriteSafetensors, LaysOutTheBytesOfTheFormat) {
  const testing::TempDir dir;
  const fs::path path = dir.path() / "x.safetensors";
  write_safetensors(
      path,
      std::vector{view_of("w", DType::f32, {2, 3}, kWeights), view_of("b", DType::u8, {3}, kFlags)},
      {{"k", "v"}});
  std::string header =
      R"({"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
      R"("b":{"dtype":"U8","shape":[3],"data_offsets":[24,27]}})";
  header.resize((header.size() + 7) / 8 * 8, ' ');
  std::string expected(8, '\0');
  expected[0] = static_cast<char>(header.size());
  expected += header;
  expected.append(reinterpret_cast<const char*>(kWeights.data()), 24);
  expected.append(reinterpret_cast<const char*>(kFlags.data()), 3);
  EXPECT_EQ(read_file(path), expected);
}

TEST(WriteSafetensors, AlignsTheDataWhateverTheNamesLength) {
  const testing::TempDir dir;
  for (std::size_t length = 1; length <= 9; ++length) {
    const fs::path path = dir.path() / "x";
    write_safetensors(path, std::vector{view_of(std::string(length, 'n'), DType::u8, {3}, kFlags)});
    EXPECT_EQ((read_file(path).size() - kFlags.size()) % 8, 0u);
    EXPECT_EQ(SafetensorsFile::read(path).tensors().size(), 1u);
  }
}

TEST(WriteSafetensors, IsReadBackTheSame) {
  const testing::TempDir dir;
  const fs::path path = dir.path() / "x";
  const std::vector<double> scalar = {2.5};
  const std::vector<std::int64_t> none;
  write_safetensors(path,
                    std::vector{view_of("naïve \"quoted\"\n", DType::f32, {3, 2}, kWeights),
                                view_of("scalar", DType::f64, {}, scalar),
                                view_of("none", DType::i64, {4, 0}, none)},
                    {{"a", "1"}, {"é", "x\ny"}});
  SafetensorsFile moved = SafetensorsFile::read(path);
  const SafetensorsFile file = std::move(moved);
  ASSERT_EQ(file.tensors().size(), 3u);
  const TensorView& weights = file.tensors().at("naïve \"quoted\"\n");
  EXPECT_EQ(weights.name, "naïve \"quoted\"\n");
  EXPECT_EQ(weights.dtype, DType::f32);
  EXPECT_THAT(weights.shape, ElementsAre(3, 2));
  EXPECT_EQ(values_of<float>(weights), kWeights);
  EXPECT_THAT(file.tensors().at("scalar").shape, IsEmpty());
  EXPECT_EQ(values_of<double>(file.tensors().at("scalar")), scalar);
  EXPECT_THAT(file.tensors().at("none").shape, ElementsAre(4, 0));
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("a", "1"), Pair("é", "x\ny")));
}

TEST(WriteSafetensors, WritesAFileWithoutTensors) {
  const testing::TempDir dir;
  write_safetensors(dir.path() / "x", {});
  const SafetensorsFile file = SafetensorsFile::read(dir.path() / "x");
  EXPECT_THAT(file.tensors(), IsEmpty());
  EXPECT_THAT(file.metadata(), IsEmpty());
}

TEST(WriteSafetensors, RefusesWhatCannotBeReadBack) {
  const testing::TempDir dir;
  const fs::path path = dir.write("x", "old");
  const auto write = [&](std::vector<TensorView> tensors,
                         std::map<std::string, std::string> metadata = {}) {
    return [=] { write_safetensors(path, tensors, metadata); };
  };
  const TensorView flags = view_of("b", DType::u8, {3}, kFlags);
  EXPECT_THAT(write({flags, flags}), ThrowsMessage<Error>("Two tensors are named \"b\"."));
  EXPECT_THAT(write({view_of("__metadata__", DType::u8, {3}, kFlags)}),
              ThrowsMessage<Error>("\"__metadata__\" is reserved and cannot name a tensor."));
  EXPECT_THAT(write({view_of("b", DType::i32, {3}, kFlags)}),
              ThrowsMessage<Error>("Tensor \"b\" holds 3 bytes, not what its shape and I32 make."));
  EXPECT_THROW(write({view_of("b", DType::u8, {-3}, kFlags)})(), Error);
  EXPECT_THAT(write({flags}, {{"k", "\xff"}}),
              ThrowsMessage<Error>(HasSubstr("A name or metadata is not valid UTF-8: ")));
  EXPECT_EQ(read_file(path), "old");
}

TEST(WriteSafetensors, SaysThatItCannotWrite) {
  EXPECT_THAT([] { write_safetensors("/dev/full", {}); },
              ThrowsMessage<SystemError>("/dev/full: cannot be written: No space left on device."));
}

// Written by scripts/make_safetensors_fixture.py with the Python package.
TEST(SafetensorsFile, ReadsWhatThePythonPackageWrites) {
  const SafetensorsFile file =
      SafetensorsFile::read(fs::path(DIFFUSE_TEST_DATA) / "fixtures" / "python.safetensors");
  const auto check = [&](const char* name, DType dtype, const std::vector<std::int64_t>& shape,
                         const auto& values) {
    SCOPED_TRACE(name);
    const TensorView& tensor = file.tensors().at(name);
    EXPECT_EQ(tensor.dtype, dtype);
    EXPECT_EQ(tensor.shape, shape);
    using Value = typename std::decay_t<decltype(values)>::value_type;
    EXPECT_EQ(values_of<Value>(tensor), values);
  };
  EXPECT_EQ(file.tensors().size(), 9u);
  check("f64", DType::f64, {2}, std::vector<double>{0.1, -2});
  check("f32", DType::f32, {2, 3}, std::vector<float>{0, 0.25f, 0.5f, 0.75f, 1, 1.25f});
  check("f16", DType::f16, {2}, std::vector<std::uint16_t>{0x3C00, 0xB800});
  check("bf16", DType::bf16, {2}, std::vector<std::uint16_t>{0x3F80, 0xBF00});
  check("i64", DType::i64, {2}, std::vector<std::int64_t>{-(1ll << 40), 7});
  check("i32", DType::i32, {2, 1}, std::vector<std::int32_t>{-3, 1 << 30});
  check("u8", DType::u8, {3}, std::vector<std::uint8_t>{0, 127, 255});
  check("scalar", DType::f32, {}, std::vector<float>{2.5f});
  check("empty", DType::f32, {0, 4}, std::vector<float>{});
  EXPECT_THAT(file.metadata(), ElementsAre(Pair("format", "pt"), Pair("été", "naïve")));
}

TEST(DTypes, HaveTheFormatsNamesAndSizes) {
  EXPECT_EQ(dtype_name(DType::bf16), "BF16");
  EXPECT_EQ(dtype_size_bytes(DType::bf16), 2u);
  EXPECT_EQ(dtype_name(DType::f64), "F64");
  EXPECT_EQ(dtype_size_bytes(DType::f64), 8u);
}

}  // namespace
}  // namespace diffuse
