#pragma once

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace diffuse {

/// Memory of one chunk: of the heap, then freed with the object, or a part of a file's mapping,
/// which whoever mapped it takes away.
template <class T>
class ChunkPiece {
 public:
  ChunkPiece() = default;
  ChunkPiece(T* data, bool heap) : data_(data), heap_(heap) {}
  ChunkPiece(ChunkPiece&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), heap_(other.heap_) {}
  ChunkPiece& operator=(ChunkPiece&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(heap_, other.heap_);
    return *this;
  }
  ChunkPiece(const ChunkPiece&) = delete;
  ChunkPiece& operator=(const ChunkPiece&) = delete;
  ~ChunkPiece() {
    if (heap_) std::free(data_);  // NOLINT: of calloc
  }

  T* get() const { return data_; }
  T& operator[](std::size_t index) const { return data_[index]; }
  explicit operator bool() const { return data_ != nullptr; }
  /// Keeps the first `count` elements, at least one, and gives the heap the others back; what is of
  /// a file stays. They may move.
  void shrink(std::size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    if (!heap_ || data_ == nullptr) return;
    if (void* const less = std::realloc(data_, count * sizeof(T)); less != nullptr)  // NOLINT
      data_ = static_cast<T*>(less);
  }
  bool on_heap() const { return heap_; }

 private:
  T* data_ = nullptr;
  bool heap_ = false;
};

/// A file's bytes, mapped to be read; pages come from the disk when they are looked at, and go when
/// memory is short.
class MappedFile {
 public:
  /// Throws SystemError if the file cannot be opened or mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Lets go of the pages that were looked at; they are read again when they are needed.
  void release_pages() const;
  /// From now on what is looked at lies here and there: the system reads no more than that.
  void expect_random_reads() const;
  /// Has the disk read `bytes` of these while something else is done.
  void will_need(std::span<const std::byte> bytes) const;

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Gives chunks their memory: the first `heap_bytes` from the heap, the others from a file without
/// a name in `folder`, which is mapped, so that what grows is not anonymous memory: the system
/// writes its pages out when it needs their place. The file is gone with the object.
class ChunkMemory {
 public:
  static constexpr std::size_t kHeapBytes = std::size_t{64} << 20;

  /// All from the heap.
  ChunkMemory() = default;
  /// `what`: the chunks, in a warning.
  explicit ChunkMemory(std::filesystem::path folder, std::size_t heap_bytes = kHeapBytes,
                       std::string what = "encoded rows")
      : folder_(std::move(folder)), heap_bytes_(heap_bytes), what_(std::move(what)) {}
  ~ChunkMemory();
  ChunkMemory(const ChunkMemory&) = delete;
  ChunkMemory& operator=(const ChunkMemory&) = delete;

  /// `count` zeros. Where the disk has no place, a warning says so once and the heap gives them.
  template <class T>
  ChunkPiece<T> take(std::size_t count) {
    const Piece piece = take_bytes(count * sizeof(T));
    return ChunkPiece<T>(static_cast<T*>(piece.data), piece.heap);
  }
  /// Bytes of the file that were given out.
  std::size_t file_bytes() const { return file_bytes_; }

 private:
  struct Piece {
    void* data;
    bool heap;
  };
  struct Segment {
    std::byte* data;
    std::size_t size;
  };

  Piece take_bytes(std::size_t bytes);
  bool add_segment(std::size_t bytes);
  void give_up(int reason);

  std::filesystem::path folder_{};  // empty: heap alone
  std::size_t heap_bytes_ = 0;
  std::string what_{};
  std::size_t heap_used_ = 0;
  std::size_t file_bytes_ = 0;
  int file_ = -1;
  std::size_t file_size_ = 0;
  std::vector<Segment> segments_{};
  std::size_t used_ = 0;  // of the last segment
};

}  // namespace diffuse
