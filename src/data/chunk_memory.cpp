#include "diffuse/data/chunk_memory.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <string>

#include "diffuse/base/error.hpp"
#include "diffuse/base/log.hpp"

namespace diffuse {
namespace {

/// One mapping for many chunks: a process has some ten thousands of mappings at most.
constexpr std::size_t kSegmentBytes = std::size_t{64} << 20;
constexpr std::size_t kPieceAlignment = 64;

/// A file without a name; -1, and why in errno, where there can be none.
int open_unnamed(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::string name = (folder / ".rows-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file >= 0) ::unlink(name.c_str());
  return file;
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path) {
  const auto fail = [&path](const char* what) {
    const int reason = errno;
    throw SystemError(fmt::format("{}: {}: {}", path.string(), what, std::strerror(reason)));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("cannot be opened");
  struct stat status {};
  if (::fstat(file, &status) != 0) {
    ::close(file);
    fail("cannot be looked at");
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ > 0) {
    void* const data = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, file, 0);
    if (data == MAP_FAILED) {
      ::close(file);
      fail("cannot be mapped into memory");
    }
    data_ = static_cast<std::byte*>(data);
  }
  ::close(file);  // the mapping stays
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::release_pages() const {
  if (data_ != nullptr) ::madvise(data_, size_, MADV_DONTNEED);
}

void MappedFile::expect_random_reads() const {
  if (data_ != nullptr) ::madvise(data_, size_, MADV_RANDOM);
}

void MappedFile::will_need(std::span<const std::byte> bytes) const {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t begin = static_cast<std::size_t>(bytes.data() - data_) / page * page;
  const std::size_t end = static_cast<std::size_t>(bytes.data() - data_) + bytes.size();
  ::madvise(data_ + begin, end - begin, MADV_WILLNEED);
}

ChunkMemory::~ChunkMemory() {
  for (const Segment& segment : segments_) ::munmap(segment.data, segment.size);
  if (file_ >= 0) ::close(file_);
}

void ChunkMemory::give_up(int reason) {
  log::warning(
      "{}: no room for {} beyond {} MB ({}); they are kept in memory instead "
      "(data.cache_dir names another folder)",
      folder_.string(), what_, heap_bytes_ >> 20, std::strerror(reason));
  folder_.clear();
}

/// Room for `bytes` more at the end of the file. It is taken on the disk now: a page of a mapping
/// that finds no place when it is written kills the process.
bool ChunkMemory::add_segment(std::size_t bytes) {
  if (file_ < 0) file_ = open_unnamed(folder_);
  if (file_ < 0) {
    give_up(errno);
    return false;
  }
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t size = std::max(kSegmentBytes, (bytes + page - 1) / page * page);
  const auto begin = static_cast<off_t>(file_size_);
  if (const int error = ::posix_fallocate(file_, begin, static_cast<off_t>(size)); error != 0) {
    give_up(error);
    return false;
  }
  void* const data = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, begin);
  if (data == MAP_FAILED) {
    give_up(errno);
    return false;
  }
  file_size_ += size;
  segments_.push_back({static_cast<std::byte*>(data), size});
  used_ = 0;
  return true;
}

ChunkMemory::Piece ChunkMemory::take_bytes(std::size_t bytes) {
  bytes = (bytes + kPieceAlignment - 1) / kPieceAlignment * kPieceAlignment;
  if (!folder_.empty() && heap_used_ + bytes > heap_bytes_) {
    const bool fits = !segments_.empty() && segments_.back().size - used_ >= bytes;
    if (fits || add_segment(bytes)) {
      std::byte* const data = segments_.back().data + used_;
      used_ += bytes;
      file_bytes_ += bytes;
      return {data, false};
    }
  }
  void* const data = std::calloc(1, bytes);  // NOLINT: zeros that nobody has to write
  if (data == nullptr) throw std::bad_alloc();
  heap_used_ += bytes;
  return {data, true};
}

}  // namespace diffuse
