#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "diffuse/base/error.hpp"
#include "diffuse/base/safetensors.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

using ::testing::ThrowsMessage;

/// A file with this header (its length put before it) and `data_size` bytes of data.
std::string file_of(const std::string& header, std::size_t data_size) {
  const std::uint64_t length = header.size();
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + header + std::string(data_size, 'd');
}

/// One tensor "w" with these members, and `data_size` bytes of data.
std::string tensor_file(const std::string& members, std::size_t data_size) {
  return file_of(R"({"w":{)" + members + "}}", data_size);
}

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string file(sizeof length, '\0');
  std::memcpy(file.data(), &length, sizeof length);
  return file + rest;
}

struct Damaged {
  const char* name;
  std::string content;
  std::string message;  ///< after "FILE: not a usable safetensors file: "
};

std::string name_of(const ::testing::TestParamInfo<Damaged>& info) { return info.param.name; }

const std::vector<Damaged> kCases = {
    // The frame.
    {"Empty", "", "0 bytes; expected at least the 8 of the header's length."},
    {"CutInTheLength", "1234567", "7 bytes; expected at least the 8 of the header's length."},
    {"LengthBeyondTheFile", with_length(100, "{}"),
     "the header's length is 100 bytes, the file holds 2 after it."},
    {"LengthBeyondTheLimit", with_length(100'000'001, "{}"),
     "the header's length is 100000001 bytes; at most 100000000 are allowed."},
    {"LengthOfAllOnes", with_length(~0ull, "{}"),
     "the header's length is 18446744073709551615 bytes; at most 100000000 are allowed."},
    // The JSON.
    {"NoHeader", with_length(0, ""), "the header does not start with '{'."},
    {"BlankBeforeTheBrace", file_of(" {}", 0), "the header does not start with '{'."},
    {"Array", file_of("[]", 0), "the header does not start with '{'."},
    {"Unclosed", file_of(R"({"w":)", 0), "the header is not valid JSON (byte 6)."},
    {"TextAfterTheEnd", file_of("{} x", 0), "the header is not valid JSON (byte 4)."},
    {"InvalidUtf8", file_of("{\"\xff\":1}", 0), "the header is not valid JSON (byte 3)."},
    {"NulAfterTheEnd", file_of(std::string("{}\0", 3), 0),
     "the header is not valid JSON (byte 3)."},
    {"NumberTooLarge", tensor_file(R"("dtype":"U8","shape":[1e999],"data_offsets":[0,1])", 1),
     "the header is not valid JSON (number overflow parsing '1e999')."},
    {"SameTensorTwice",
     file_of(R"({"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
             R"("w":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
             2),
     "the name \"w\" occurs twice in the header."},
    {"SameMemberTwice",
     tensor_file(R"("dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1])", 1),
     "the name \"shape\" occurs twice in the header."},
    {"DeepNesting", file_of(R"({"w":)" + std::string(100'000, '['), 0),
     "the header's JSON is nested too deeply."},
    // Metadata.
    {"MetadataList", file_of(R"({"__metadata__":[1]})", 0), "__metadata__ is not an object: [1]."},
    {"MetadataNumber", file_of(R"({"__metadata__":{"k":1}})", 0),
     "__metadata__ \"k\" is not a string: 1."},
    // One tensor.
    {"TensorIsNoObject", file_of(R"({"w":5})", 0), "tensor \"w\" is not an object: 5."},
    {"UnknownMember",
     tensor_file(R"("dtype":"U8","shape":[1],"data_offsets":[0,1],"stride":[1])", 1),
     "tensor \"w\" has the key \"stride\"; expected dtype, shape and data_offsets."},
    {"NoDtype", tensor_file(R"("shape":[1],"data_offsets":[0,1])", 1),
     "tensor \"w\" has no dtype."},
    {"NoShape", tensor_file(R"("dtype":"U8","data_offsets":[0,1])", 1),
     "tensor \"w\" has no shape."},
    {"NoOffsets", tensor_file(R"("dtype":"U8","shape":[1])", 1),
     "tensor \"w\" has no data_offsets."},
    {"UnknownDtype", tensor_file(R"("dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1])", 1),
     "tensor \"w\" has the dtype \"F8_E4M3\"; known are F64, F32, F16, BF16, I64, I32, U8."},
    {"DtypeIsNoText", tensor_file(R"("dtype":7,"shape":[1],"data_offsets":[0,1])", 1),
     "tensor \"w\" has the dtype 7; known are F64, F32, F16, BF16, I64, I32, U8."},
    {"ShapeIsNoArray", tensor_file(R"("dtype":"U8","shape":1,"data_offsets":[0,1])", 1),
     "tensor \"w\" has a shape that is no array: 1."},
    {"NegativeShape", tensor_file(R"("dtype":"U8","shape":[-1],"data_offsets":[0,1])", 1),
     "tensor \"w\" has a shape that is not of whole numbers from 0 on: [-1]."},
    {"FractionalShape", tensor_file(R"("dtype":"U8","shape":[1.5],"data_offsets":[0,1])", 1),
     "tensor \"w\" has a shape that is not of whole numbers from 0 on: [1.5]."},
    {"ShapeBeyondSigned",
     tensor_file(R"("dtype":"U8","shape":[0,9223372036854775808],"data_offsets":[0,0])", 0),
     "tensor \"w\" has a shape that is not of whole numbers from 0 on: [0,9223372036854775808]."},
    // 2^32 x 2^32 is 0 in 64 bits.
    {"OverflowingShape",
     tensor_file(R"("dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
     "tensor \"w\" has a shape of more bytes than can be counted: [4294967296,4294967296]."},
    // 2^62 elements of 4 bytes are 0 bytes in 64 bits.
    {"OverflowingSize",
     tensor_file(R"("dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0])", 0),
     "tensor \"w\" has a shape of more bytes than can be counted: [4611686018427387904]."},
    {"OneOffset", tensor_file(R"("dtype":"U8","shape":[1],"data_offsets":[1])", 1),
     "tensor \"w\" has data_offsets that are not two rising whole numbers: [1]."},
    {"FallingOffsets", tensor_file(R"("dtype":"U8","shape":[1],"data_offsets":[1,0])", 1),
     "tensor \"w\" has data_offsets that are not two rising whole numbers: [1,0]."},
    {"NegativeOffset", tensor_file(R"("dtype":"U8","shape":[1],"data_offsets":[-1,0])", 1),
     "tensor \"w\" has data_offsets that are not two rising whole numbers: [-1,0]."},
    {"SizeDisagrees", tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])", 4),
     "tensor \"w\" takes 4 bytes by its offsets, 8 by its shape and dtype."},
    // The layout.
    {"BeyondTheData", tensor_file(R"("dtype":"U8","shape":[4],"data_offsets":[0,4])", 3),
     "tensor \"w\" ends at byte 4 of the data, of which there are 3."},
    {"Overlap",
     file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
             3),
     "tensors \"a\" and \"b\" overlap."},
    {"SameBytes",
     file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
             2),
     "tensors \"a\" and \"b\" overlap."},
    {"Gap",
     file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})",
             7),
     "bytes 2 to 5 of the data, before tensor \"b\", belong to no tensor."},
    {"BytesLeftOver", tensor_file(R"("dtype":"U8","shape":[1],"data_offsets":[0,1])", 3),
     "the last 2 bytes of the data belong to no tensor."},
    {"ControlsInTheName", file_of(R"({"a\u001b[31m\n":5})", 0),
     "tensor \"a\\x1b[31m\\n\" is not an object: 5."},
};

class DamagedSafetensors : public ::testing::TestWithParam<Damaged> {};

TEST_P(DamagedSafetensors, IsRefusedWithItsReason) {
  const testing::TempDir dir;
  const std::string path = dir.write("x.safetensors", GetParam().content);
  EXPECT_THAT([&] { SafetensorsFile::read(path); },
              ThrowsMessage<CheckpointError>(
                  path + ": not a usable safetensors file: " + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(Corpus, DamagedSafetensors, ::testing::ValuesIn(kCases), name_of);

TEST(MissingSafetensors, IsRefusedWithItsReason) {
  const testing::TempDir dir;
  const std::string missing = dir.path() / "x";
  EXPECT_THAT(
      [&] { SafetensorsFile::read(missing); },
      ThrowsMessage<CheckpointError>(missing + ": cannot be opened: No such file or directory."));
  const std::string folder = dir.path();
  EXPECT_THAT([&] { SafetensorsFile::read(folder); },
              ThrowsMessage<CheckpointError>(::testing::StartsWith(folder + ": ")));
}

TEST(TruncatedSafetensors, IsRefusedAtEveryLength) {
  const testing::TempDir dir;
  const std::string whole = tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 8);
  EXPECT_EQ(SafetensorsFile::read(dir.write("x", whole)).tensors().size(), 1u);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto path = dir.write("x", whole.substr(0, size));
    EXPECT_THROW(SafetensorsFile::read(path), CheckpointError) << size;
  }
}

// Whatever one byte of the frame or the header becomes, reading ends in a result whose tensors lie
// inside the file, or in the right exception: never elsewhere.
TEST(FlippedSafetensors, NeverReadsOutside) {
  const testing::TempDir dir;
  const std::string whole = tensor_file(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])", 8);
  for (std::size_t at = 0; at < whole.size() - 8; ++at) {
    for (const unsigned flip : {0x01u, 0x10u, 0x80u, 0xFFu}) {
      std::string file = whole;
      file[at] = static_cast<char>(static_cast<unsigned char>(file[at]) ^ flip);
      const auto path = dir.write("x", file);
      try {
        const SafetensorsFile read = SafetensorsFile::read(path);
        for (const auto& [name, tensor] : read.tensors()) EXPECT_EQ(tensor.bytes.size(), 8u);
      } catch (const CheckpointError&) {
      }
    }
  }
}

}  // namespace
}  // namespace diffuse
