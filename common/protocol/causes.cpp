#include "common/protocol/causes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

/// A word that may have a number, and which: those of failures.
struct Numbered {
  std::string_view word;
  std::uint32_t least;
  std::uint32_t most;
};
constexpr std::array kNumbered{Numbered{"exit", 1, 255}, Numbered{"signal", 1, 64},
                               Numbered{"http", 400, 999}};
constexpr std::array<std::string_view, 3> kPlain{kCauseError, kCauseLost, kCauseTimeout};

/// "word", "word:5" or "word:1-9"; a cause is one, too.
struct Pattern {
  std::string_view word;
  std::uint32_t least = 0;
  std::uint32_t most = UINT32_MAX;
};

std::optional<std::uint32_t> number_of(std::string_view written) {
  std::uint32_t value = 0;
  const auto* end = written.data() + written.size();
  const auto [stop, error] = std::from_chars(written.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return value;
}

std::optional<Pattern> read(std::string_view written) {
  const auto colon = written.find(':');
  Pattern pattern{written.substr(0, colon)};
  if (colon == std::string_view::npos) return pattern;
  const auto numbers = written.substr(colon + 1);
  const auto dash = numbers.find('-');
  const auto least = number_of(numbers.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : number_of(numbers.substr(dash + 1));
  if (!least || !most || *least > *most) return std::nullopt;
  return Pattern{pattern.word, *least, *most};
}

// "ValueError", "shop.OutOfStock": begins with a capital, at the end of a path if it has one.
bool is_class(std::string_view word) {
  const auto is_letter = [](char letter) { return (letter | 32) >= 'a' && (letter | 32) <= 'z'; };
  const auto name = word.substr(word.find_last_of('.') + 1);
  return word.size() <= kCauseBytesMax && !name.empty() && name[0] >= 'A' && name[0] <= 'Z' &&
         is_letter(word[0]) && std::all_of(word.begin(), word.end(), [&](char letter) {
           return is_letter(letter) || (letter >= '0' && letter <= '9') || letter == '_' ||
                  letter == '.';
         });
}

Expected<void> check(std::string_view written) {
  const auto pattern = read(written);
  const auto numbered = std::find_if(kNumbered.begin(), kNumbered.end(), [&](const Numbered& each) {
    return pattern && each.word == pattern->word;
  });
  if (numbered == kNumbered.end()) {
    if (std::find(kPlain.begin(), kPlain.end(), written) != kPlain.end()) return {};
    if (is_class(written)) return {};
    return Error{text("retry on ", written,
                      ": is no cause of a failure (exit:75, exit:1-9, signal, signal:9, http:503, ",
                      "timeout, lost, error, or a class of errors as ValueError)")};
  }
  const auto& [word, least, most] = *numbered;
  if (written == word || (pattern->least >= least && pattern->most <= most)) return {};
  return Error{text("retry on ", written, ": ", word, " has a number from ", least, " to ", most)};
}

std::string_view next_of(std::string_view& list) {
  const auto part = list.substr(0, list.find(','));
  list.remove_prefix(std::min(list.size(), part.size() + 1));
  return part;
}

}  // namespace

Expected<void> check_causes(std::string_view list) {
  if (list.size() > kRetryOnBytesMax)
    return Error{text("retry on: ", list.size(), " bytes, limit ", kRetryOnBytesMax)};
  if (list.ends_with(',')) return Error{"retry on: a comma with nothing behind it"};
  while (!list.empty())
    if (auto checked = check(next_of(list)); !checked) return checked;
  return {};
}

std::string own_cause(std::string_view cause) {
  const bool is_one = !cause.empty() && cause.find_first_of(",-") == cause.npos;
  return std::string(is_one && cause != kCauseLost && check(cause) ? cause : kCauseError);
}

bool has_cause(std::string_view list, std::string_view cause) {
  const auto is = read(cause);
  if (!is) return false;
  while (!list.empty()) {
    const auto pattern = read(next_of(list));
    if (!pattern) continue;
    if (pattern->word == kCauseError && is_class(is->word)) return true;
    if (pattern->word == is->word && pattern->least <= is->least && is->most <= pattern->most)
      return true;
  }
  return false;
}

}  // namespace eole::protocol
