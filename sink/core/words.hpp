#pragma once
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"

/// Words of texts, as people look for them: without case, without the accents of Latin letters.
namespace eole::sink {

/// The letters and digits of `text`, a blank between words and at both ends: " exit code 3 ". So
/// one text has another's words, in their order, if it has its folded form as a part. Bytes that
/// are no text are between words. Empty: there is none.
std::string folded(std::string_view text);

/// Which words some results may have: never wrong about one that is there, rarely about another.
class WordFilter {
 public:
  static constexpr std::size_t kBytesMax = 8192;
  WordFilter() = default;
  /// As stored() gave it. False in is_whole(): no such thing.
  explicit WordFilter(std::string_view stored) : bits_(stored) {}
  bool is_whole() const;
  void add(std::string_view folded);
  /// All of the words of one folded text.
  bool may_have(std::string_view folded) const;
  /// As small as it can be without being wrong too often.
  Bytes stored() const;

 private:
  Bytes bits_;  // A power of two of bytes, or nothing.
};

}  // namespace eole::sink
