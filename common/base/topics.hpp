#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace eole {

constexpr std::size_t kPatternBytesMax = 1024;
constexpr std::size_t kPatternWordsMax = 64;

/// Which topics somebody wants to hear of. A topic is words with slashes between them,
/// project/kind/state; a pattern is words likewise, of which * stands for any one word, # for any
/// number of them, none too: "shop/*/failed", "#/dead".
class TopicPattern {
 public:
  /// Errors: empty, too long, too many words, a * or # beside other letters.
  static Expected<TopicPattern> parse(std::string_view pattern);
  bool matches(std::string_view topic) const;
  /// As it was parsed.
  std::string written() const;
  bool operator==(const TopicPattern&) const = default;

 private:
  std::vector<std::string> words_;
};

/// A name with slashes in it is several words.
std::string topic_of(std::string_view project, std::string_view kind, std::string_view state);

}  // namespace eole
