#include "diffuse/base/files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "diffuse/base/error.hpp"
#include "support/temp_dir.hpp"

namespace diffuse {
namespace {

namespace fs = std::filesystem;
using ::testing::ThrowsMessage;
using ::testing::UnorderedElementsAre;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  return names;
}

TEST(ReadFile, GivesEveryByte) {
  const testing::TempDir dir;
  const std::string content("a\0\r\n\xff", 5);
  EXPECT_EQ(read_file(dir.write("x", content)), content);
  EXPECT_EQ(read_file(dir.write("empty", "")), "");
  const std::string large(300'000, 'y');
  EXPECT_EQ(read_file(dir.write("large", large)), large);
}

TEST(ReadFile, ReadsWhatHasNoSize) {
  EXPECT_NE(read_file("/proc/self/status").find("VmRSS"), std::string::npos);
}

TEST(ReadFile, NamesThePathAndTheReason) {
  const testing::TempDir dir;
  const std::string missing = dir.path() / "missing";
  EXPECT_THAT(
      [&] { read_file(missing); },
      ThrowsMessage<SystemError>(missing + ": cannot be opened: No such file or directory."));
  const std::string folder = dir.path();
  EXPECT_THAT([&] { read_file(folder); },
              ThrowsMessage<SystemError>(folder + ": cannot be read: Is a directory."));
}

TEST(ReadFile, WaitsForNoNamedPipe) {
  const testing::TempDir dir;
  const fs::path pipe = dir.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const fs::path link = dir.path() / "link";
  fs::create_symlink("pipe", link);
  for (const std::string& name : {pipe.string(), link.string()})
    EXPECT_THAT([&] { read_file(name); },
                ThrowsMessage<SystemError>(name + ": cannot be read: it is a named pipe; expected "
                                                  "a file, /dev/stdin or <(command)."));
}

TEST(ReadFile, TakesAShellsPipe) {
  const testing::TempDir dir;
  const fs::path link = dir.path() / "link";
  for (const bool by_link : {false, true}) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ASSERT_EQ(::write(ends[1], "rows", 4), 4);
    ::close(ends[1]);
    fs::path name = "/dev/fd/" + std::to_string(ends[0]);
    if (by_link) {
      fs::create_symlink(name, link);
      name = link;
    }
    EXPECT_EQ(read_file(name), "rows");
    ::close(ends[0]);
  }
}

TEST(WriteFileAtomically, WritesAndReplaces) {
  const testing::TempDir dir;
  const fs::path path = dir.path() / "x";
  write_file_atomically(path, "one");
  EXPECT_EQ(read_file(path), "one");
  write_file_atomically(path, "");
  EXPECT_EQ(read_file(path), "");
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("x")) << "no temporary file is left";
}

TEST(WriteFileAtomically, WritesIntoTheWorkingDirectory) {
  const testing::TempDir dir;
  const fs::path before = fs::current_path();
  fs::current_path(dir.path());
  write_file_atomically("x", "here");
  fs::current_path(before);
  EXPECT_EQ(read_file(dir.path() / "x"), "here");
}

TEST(WriteFileAtomically, KeepsPermissionsAndLinks) {
  const testing::TempDir dir;
  const fs::path file = dir.write("file", "old");
  ::chmod(file.c_str(), 0640);
  fs::create_symlink("file", dir.path() / "link");
  write_file_atomically(dir.path() / "link", "new");
  EXPECT_TRUE(fs::is_symlink(dir.path() / "link"));
  EXPECT_EQ(read_file(file), "new");
  EXPECT_EQ(static_cast<unsigned>(fs::status(file).permissions()), 0640u);
}

TEST(WriteFileAtomically, WritesToDevicesDirectly) {
  write_file_atomically("/dev/null", "gone");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST(WriteFileAtomically, SaysWhyItCannot) {
  const testing::TempDir dir;
  const std::string nowhere = dir.path() / "no" / "x";
  EXPECT_THAT(
      [&] { write_file_atomically(nowhere, "x"); },
      ThrowsMessage<SystemError>(nowhere + ": cannot be written: No such file or directory."));
  const std::string folder = dir.path();
  EXPECT_THAT([&] { write_file_atomically(folder, "x"); },
              ThrowsMessage<SystemError>(folder + ": cannot be written: Is a directory."));
  EXPECT_THAT([] { write_file_atomically("/dev/full", "x"); },
              ThrowsMessage<SystemError>("/dev/full: cannot be written: No space left on device."));
}

/// A process in which no file grows beyond `bytes`, as on a disk that is full.
void limit_file_size(rlim_t bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{bytes, bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
}

TEST(WriteFileAtomically, LeavesTheOldFileWhenTheNewOneDoesNotFit) {
  const testing::TempDir dir;
  const fs::path path = dir.write("x", "old");
  EXPECT_EXIT(
      {
        limit_file_size(1000);
        try {
          write_file_atomically(path, std::string(5000, 'n'));
        } catch (const SystemError& error) {
          std::exit(std::string(error.what()) ==
                            path.string() + ": cannot be written: File too large."
                        ? 42
                        : 1);
        }
        std::exit(2);
      },
      ::testing::ExitedWithCode(42), "");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("x"));
}

TEST(WriteFileAtomically, GivesReadersOneWholeContentOrTheOther) {
  const testing::TempDir dir;
  const fs::path path = dir.path() / "x";
  const auto write_often = [&](char c) {
    for (int i = 0; i < 20; ++i) write_file_atomically(path, std::string(10'000, c));
  };
  write_often('a');
  std::jthread first(write_often, 'a');
  std::jthread second(write_often, 'b');
  for (int i = 0; i < 50; ++i) {
    const std::string content = read_file(path);
    ASSERT_EQ(content, std::string(10'000, content.at(0)));
  }
}

TEST(PointToFolder, IsALinkThatCanBeMoved) {
  const testing::TempDir dir;
  dir.write("000001/x", "one");
  dir.write("000002/x", "two");
  const fs::path link = dir.path() / "last";
  point_to_folder(link, "000001");
  EXPECT_EQ(fs::read_symlink(link), "000001");
  point_to_folder(link, "000002");
  EXPECT_EQ(read_file(link / "x"), "two");
  EXPECT_EQ(pointed_folder(link), link);
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("000001", "000002", "last"));
}

TEST(PointToFolder, TakesThePlaceOfACopiedFolder) {
  const testing::TempDir dir;
  dir.write("000001/x", "one");
  dir.write("last/x", "copied by cp -rL");
  point_to_folder(dir.path() / "last", "000001");
  EXPECT_EQ(read_file(dir.path() / "last/x"), "one");
}

TEST(PointedFolder, IsTheOneThatAFileNames) {
  const testing::TempDir dir;
  dir.write("000001/x", "one");
  EXPECT_EQ(pointed_folder(dir.write("last", "000001\n")), dir.path() / "000001");
  EXPECT_EQ(pointed_folder(dir.path() / "000001"), dir.path() / "000001");
  EXPECT_EQ(pointed_folder(dir.path() / "none"), dir.path() / "none");
  for (const char* other : {"000002", "", "../000001", "000001\n000001", "/"}) {
    const fs::path file = dir.write("other", other);
    EXPECT_EQ(pointed_folder(file), file) << other;
  }
}

TEST(FolderWriter, PublishesANewFolder) {
  const testing::TempDir dir;
  const fs::path target = dir.path() / "checkpoints" / "000001";
  FolderWriter writer(target);
  write_file_atomically(writer.folder() / "a", "1");
  fs::create_directory(writer.folder() / "sub");
  write_file_atomically(writer.folder() / "sub" / "b", "2");
  EXPECT_FALSE(fs::exists(target));
  writer.publish();
  EXPECT_EQ(read_file(target / "a"), "1");
  EXPECT_EQ(read_file(target / "sub" / "b"), "2");
  EXPECT_THAT(names_in(target.parent_path()), UnorderedElementsAre("000001"));
}

TEST(FolderWriter, ReplacesAFolderWhole) {
  const testing::TempDir dir;
  dir.write("target/old", "old");
  {
    FolderWriter writer(dir.path() / "target/");
    write_file_atomically(writer.folder() / "new", "new");
    writer.publish();
  }
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("target"));
  EXPECT_THAT(names_in(dir.path() / "target"), UnorderedElementsAre("new"));
}

TEST(FolderWriter, LeavesNothingWithoutPublish) {
  const testing::TempDir dir;
  dir.write("target/old", "old");
  {
    const FolderWriter writer(dir.path() / "target");
    write_file_atomically(writer.folder() / "new", "new");
  }
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("target"));
  EXPECT_EQ(read_file(dir.path() / "target" / "old"), "old");
}

TEST(FolderWriter, RefusesWhatItCannotReplace) {
  const testing::TempDir dir;
  const std::string file = dir.write("file", "precious");
  {
    FolderWriter writer(file);
    EXPECT_THAT([&] { writer.publish(); },
                ThrowsMessage<SystemError>(file + ": cannot be replaced: Not a directory."));
  }
  EXPECT_EQ(read_file(file), "precious");
  EXPECT_THAT(names_in(dir.path()), UnorderedElementsAre("file"));
  EXPECT_THAT(
      [&] { FolderWriter writer(fs::path(file) / "x"); },
      ThrowsMessage<SystemError>(file + ": the folder cannot be created: Not a directory."));
}

TEST(FolderWriter, PublishesOnce) {
  const testing::TempDir dir;
  FolderWriter writer(dir.path() / "x");
  writer.publish();
  EXPECT_THAT([&] { writer.publish(); },
              ThrowsMessage<Error>((dir.path() / "x").string() + " was published already."));
}

}  // namespace
}  // namespace diffuse
