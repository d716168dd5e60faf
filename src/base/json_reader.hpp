#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace diffuse {

/// What a JSON text that nobody vouches for may hold.
struct JsonRules {
  int deepest = 32;           ///< how deep lists and objects may stand in one another
  bool comments = false;      ///< whether // and /* */ are allowed
  std::size_t most_keys = 0;  ///< that an object may hold; 0: any number
};

/// Why a text is not such JSON.
struct JsonFault {
  enum class Kind {
    nul,     ///< a NUL byte, which the parser would take for the end
    syntax,  ///< no JSON, or more than one value
    number,  ///< one that no double holds
    depth,
    keys  ///< an object of too many
  };
  Kind kind = Kind::syntax;
  std::size_t byte = 0;  ///< where, from 1; 0 for depth and keys
  std::string reason;    ///< in the parser's words, printable

  /// "not valid JSON at column 7"; `unit` is what `byte` counts.
  std::string text(std::string_view unit = "byte") const;
};

/// A text read as JSON.
template <class Json>
struct JsonText {
  Json value;                      ///< null where there is a fault
  std::optional<JsonFault> fault;  ///< the first one
  /// The keys that an object holds twice (the parser keeps one of the two), each behind those of
  /// the objects around it, outermost first. Of many the first 20, but those of outer objects
  /// before those of inner ones; of a long key the beginning, some 100 bytes.
  std::vector<std::vector<std::string>> repeated;
};

/// Reads `text`. For nlohmann::json and nlohmann::ordered_json. Never throws for any text.
template <class Json>
JsonText<Json> read_json(std::string_view text, const JsonRules& rules = {});

/// The object that `text` holds. Throws DataError, beginning with `place`, where it is no valid
/// JSON, no object, or holds a key twice; `expected` says what should stand there.
nlohmann::json read_json_object(std::string_view text, const std::string& place,
                                std::string_view expected = "a JSON object");

}  // namespace diffuse
