#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace diffuse {

/// The setting that names a file of vectors, for messages.
inline constexpr const char* kVectorSetting = "model.embedding_file";

/// Writes a word's vector to `to`, [dim]. Throws DataError where it is none.
using ReadVector = std::function<void(std::span<float> to)>;
/// Whether to go on with the next word.
using VisitWord = std::function<bool(std::string_view word, const ReadVector& read)>;

/// What is wrong with vectors of `found` numbers, as a message.
std::string other_length(std::int64_t found, std::int64_t dim);

/// Calls `visit` with each word of a text file of vectors, until it returns false. Throws as
/// read_word_vectors does.
void each_text_vector(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit);
/// The same of a safetensors file.
void each_tensor_row(const std::filesystem::path& path, std::int64_t dim, const VisitWord& visit);

}  // namespace diffuse
