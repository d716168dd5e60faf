#include "diffuse/data/byte_source.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "data/support.hpp"

namespace diffuse {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using testing::gzip;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TempDir;

std::string read_all(const std::filesystem::path& path, std::size_t block) {
  ByteSource source(path);
  std::string all;
  std::string part(block, '\0');
  for (std::size_t count = 0; (count = source.read(part.data(), block)) > 0;) {
    all.append(part, 0, count);
  }
  EXPECT_EQ(source.read(part.data(), block), 0u) << "reading on at the end";
  return all;
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += std::to_string(i * 7919 % 100003) + "\n";
  return text;
}

TEST(ByteSource, ReadsPlainFiles) {
  const TempDir dir;
  for (const std::size_t block : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
    EXPECT_EQ(read_all(dir.write("a.csv", "hello"), block), "hello");
    EXPECT_EQ(read_all(dir.write("b.csv", ""), block), "");
    EXPECT_EQ(read_all(dir.write("c.csv", "\x1f"), block), "\x1f");
  }
}

TEST(ByteSource, UnpacksGzipWhateverItsName) {
  const TempDir dir;
  const std::string text = long_text();
  const auto path = dir.write("a.csv", gzip(text));
  for (const std::size_t block : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 20}) {
    EXPECT_EQ(read_all(path, block), text);
  }
  EXPECT_EQ(read_all(dir.write("b.gz", gzip("one") + gzip("") + gzip("two")), 64), "onetwo");
  EXPECT_EQ(read_all(dir.write("c.gz", gzip("")), 64), "");
}

TEST(ByteSource, ZerosBehindGzipArePadding) {
  const TempDir dir;
  const std::string packed = gzip("one\n");
  const std::string zeros(100000, '\0');
  EXPECT_EQ(read_all(dir.write("a.gz", packed + zeros), 1000), "one\n");
  EXPECT_EQ(read_all(dir.write("b.gz", packed + zeros + gzip("two\n")), 1000), "one\ntwo\n");
  EXPECT_THAT(message_of<DataError>([&] {
                read_all(dir.write("c.gz", packed + zeros + "something that is no gzip"), 1000);
              }),
              HasSubstr("damaged gzip data"));
}

TEST(ByteSource, TruncatedGzipIsAnErrorAtEveryLength) {
  const TempDir dir;
  const std::string packed = gzip("a few words, a few words");
  for (std::size_t length = 2; length < packed.size(); ++length) {
    const auto path = dir.write("a.gz", packed.substr(0, length));
    EXPECT_THAT(message_of<DataError>([&] { read_all(path, 64); }),
                HasSubstr("a.gz: the gzip data end too early; expected a whole gzip file"))
        << length;
  }
}

TEST(ByteSource, DamagedGzipIsAnError) {
  const TempDir dir;
  std::string packed = gzip(long_text());
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  const auto path = dir.write("a.gz", packed);
  EXPECT_THAT(message_of<DataError>([&] { read_all(path, 1000); }),
              HasSubstr("a.gz: damaged gzip data ("));
  const auto tail = dir.write("b.gz", gzip("x") + "something else");
  EXPECT_THAT(message_of<DataError>([&] { read_all(tail, 1000); }),
              HasSubstr("b.gz: damaged gzip data ("));
}

TEST(ByteSource, SaysWhatIsMissing) {
  const TempDir dir;
  EXPECT_THAT(message_of<DataError>([&] { ByteSource source(dir.path() / "no.csv"); }),
              EndsWith("no.csv: there is no such file"));
  EXPECT_THAT(message_of<DataError>([&] { ByteSource source(dir.path()); }),
              HasSubstr("is a folder; expected a file"));
  EXPECT_THAT(message_of<DataError>([&] { check_data_file(dir.path() / "no.csv", "data.test"); }),
              AllOf(HasSubstr("data.test: "), EndsWith("no.csv: there is no such file")));
}

TEST(ByteSource, ADeviceIsNoFile) {
  EXPECT_EQ(message_of<DataError>([] { check_data_file("/dev/null", "data.test"); }),
            "data.test: /dev/null is a device; expected a file");
}

TEST(ByteSource, APipeIsNoFileAndIsNotWaitedFor) {
  const TempDir dir;
  const std::filesystem::path pipe = dir.path() / "pipe.csv";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string expected = pipe.string() +
                               " is a pipe; expected a file (`diffuse train --train -` and "
                               "`diffuse predict` read rows from stdin, once)";
  EXPECT_EQ(message_of<DataError>([&] { ByteSource source(pipe); }), expected);
  EXPECT_EQ(message_of<DataError>([&] { check_data_file(pipe, "data.test"); }),
            "data.test: " + expected);
  EXPECT_EQ(message_of<DataError>([&] { hash_file(pipe); }), expected);
}

TEST(ByteSource, PicturesMayBeginWithTheFirstBytesOfGzip) {
  const TempDir dir;
  const std::string picture = "\x1f\x8b\x09" + std::string(1022, 'x');
  EXPECT_EQ(read_all(dir.write("a.bin", picture), 1000), picture);
}

TEST(ByteSource, NamesTheCommandThatFetchesAPublicDataSet) {
  EXPECT_EQ(message_of<DataError>([] { check_data_file("nowhere/ag_news/train.csv", ""); }),
            "nowhere/ag_news/train.csv: there is no such file; `scripts/get_data.sh ag_news "
            "nowhere/ag_news` fetches it");
  EXPECT_EQ(message_of<DataError>([] { check_data_file("nowhere/lra/image_test.bin.gz", ""); }),
            "nowhere/lra/image_test.bin.gz: there is no such file; `scripts/get_data.sh image "
            "nowhere/lra` fetches it");
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    for (const int end : ends_) ::close(end);
  }
  int reader() const { return ends_[0]; }
  void end() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }
  void write(const std::string& text) const {
    EXPECT_EQ(::write(ends_[1], text.data(), text.size()), std::ssize(text));
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(ByteSource, SaysBeforeItWaitsForMore) {
  const Pipe pipe;
  DataInput input(pipe.reader(), "pipe");
  int waits = 0;
  input.before_wait = [&] {
    ++waits;
    pipe.write("more");
  };
  ByteSource source(input);
  std::array<char, 100> part{};
  pipe.write("some");
  EXPECT_EQ(source.read(part.data(), part.size()), 4U);
  EXPECT_EQ(waits, 0) << "something was there";
  EXPECT_EQ(source.read(part.data(), part.size()), 4U);
  EXPECT_EQ(waits, 1);
}

TEST(ByteSource, NothingIsWaitedForOnceItIsToStop) {
  const Pipe pipe;
  const Pipe stop;
  DataInput input(pipe.reader(), "pipe");
  input.stop = stop.reader();
  ByteSource source(input);
  std::array<char, 100> part{};
  pipe.write("some");
  EXPECT_EQ(source.read(part.data(), part.size()), 4U);
  std::thread other([&] { stop.write("x"); });
  EXPECT_EQ(source.read(part.data(), part.size()), 0U);
  other.join();
}

TEST(ByteSource, WaitsForAnInputThatIsSetNotTo) {
  const Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.reader(), F_SETFL, O_NONBLOCK), 0);
  DataInput input(pipe.reader(), "pipe");
  std::jthread other;
  input.before_wait = [&] {
    other = std::jthread([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      pipe.write("late");
    });
  };
  ByteSource source(input);
  std::array<char, 100> part{};
  EXPECT_EQ(source.read(part.data(), part.size()), 4U);
}

TEST(FileHash, OfStdinIsNoneBeforeItsEnd) {
  const TempDir dir;
  Pipe pipe;
  FileHash hash;
  DataInput input(pipe.reader(), "stdin");
  input.hash = &hash;
  ByteSource source(input);
  std::array<char, 100> part{};
  pipe.write("some rows");
  EXPECT_EQ(source.read(part.data(), part.size()), 9U);
  EXPECT_EQ(hash.finish("-"), "") << "more may follow";
  pipe.end();
  EXPECT_EQ(source.read(part.data(), part.size()), 0U);
  EXPECT_EQ(hash.finish("-"), hash_file(dir.write("a", "some rows")));
}

TEST(FileHash, IsTheWholeFilesHoweverMuchOfItWasRead) {
  const TempDir dir;
  for (const std::string& content : {long_text(), gzip(long_text()), std::string()}) {
    const auto path = dir.write("a", content);
    for (const std::size_t reads : {0U, 1U, 1000U}) {
      FileHash hash;
      DataInput input(path);
      input.hash = &hash;
      ByteSource source(input);
      std::array<char, 3000> part{};
      for (std::size_t i = 0; i < reads; ++i) source.read(part.data(), part.size());
      EXPECT_EQ(hash.finish(path), hash_file(path)) << reads << " reads";
    }
  }
}

TEST(HashFile, DependsOnEveryByte) {
  const TempDir dir;
  const std::string text = long_text();
  std::string other = text;
  other.back() = 'x';
  const std::string hash = hash_file(dir.write("a", text));
  EXPECT_EQ(hash.size(), 32u);
  EXPECT_EQ(hash, hash_file(dir.write("b", text)));
  EXPECT_NE(hash, hash_file(dir.write("c", other)));
  EXPECT_NE(hash, hash_file(dir.write("d", text + "x")));
}

}  // namespace
}  // namespace diffuse
