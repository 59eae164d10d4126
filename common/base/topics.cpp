#include "common/base/topics.hpp"

#include <array>
#include <optional>

#include "common/base/text.hpp"

namespace eole {

namespace {

// Takes the first word off; nothing: there was none left.
std::optional<std::string_view> next_word(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const auto slash = rest->find('/');
  const auto word = rest->substr(0, slash);
  rest = slash == rest->npos ? std::nullopt : std::optional(rest->substr(slash + 1));
  return word;
}

}  // namespace

Expected<TopicPattern> TopicPattern::parse(std::string_view pattern) {
  if (pattern.empty()) return Error{"topic: is empty, which none fits; # is for all"};
  if (pattern.size() > kPatternBytesMax)
    return Error{text("topic: ", pattern.size(), " bytes, limit ", kPatternBytesMax)};
  TopicPattern parsed;
  std::optional rest(pattern);
  while (const auto word = next_word(rest)) {
    if (word->size() > 1 && word->find_first_of("*#") != word->npos)
      return Error{text("topic: ", *word, ": * and # stand for words, and alone between slashes")};
    parsed.words_.emplace_back(*word);
  }
  if (parsed.words_.size() > kPatternWordsMax)
    return Error{text("topic: ", parsed.words_.size(), " words, limit ", kPatternWordsMax)};
  return parsed;
}

std::string TopicPattern::written() const {
  std::string written;
  for (const auto& word : words_) written += (&word == words_.data() ? "" : "/") + word;
  return written;
}

// Where a word does not fit, the last # takes one word more, and all behind it is tried anew: what
// an earlier # took needs no second look, as in file names with several stars.
bool TopicPattern::matches(std::string_view topic) const {
  std::optional rest(topic);
  std::size_t at = 0;
  std::optional<std::size_t> behind_many;
  std::optional<std::string_view> rest_of_many;
  while (true) {
    if (at < words_.size() && words_[at] == "#") {
      behind_many = ++at;
      rest_of_many = rest;
      if (at == words_.size()) return true;
      continue;
    }
    const auto word = next_word(rest);
    if (!word && at == words_.size()) return true;
    if (word && at < words_.size() && (words_[at] == "*" || words_[at] == *word)) {
      ++at;
      continue;
    }
    if (!behind_many || !next_word(rest_of_many)) return false;
    at = *behind_many;
    rest = rest_of_many;
  }
}

std::string topic_of(std::string_view project, std::string_view kind, std::string_view state) {
  return text(project, "/", kind, "/", state);
}

}  // namespace eole
