#include "common/protocol/causes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

constexpr std::array<std::string_view, 3> kNumbered{"exit", "signal", "http"};
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

bool is_known(std::string_view written) {
  const auto is_one_of = [](const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const auto pattern = read(written);
  return pattern && (is_one_of(kNumbered, pattern->word) || is_one_of(kPlain, written));
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
    if (const auto part = next_of(list); !is_known(part))
      return Error{text("retry on ", part,
                        ": is no cause of a failure (exit:75, exit:1-9, signal, ",
                        "signal:9, http:503, timeout, lost, error)")};
  return {};
}

bool has_cause(std::string_view list, std::string_view cause) {
  const auto is = read(cause);
  if (!is) return false;
  while (!list.empty()) {
    const auto pattern = read(next_of(list));
    if (pattern && pattern->word == is->word && pattern->least <= is->least &&
        is->most <= pattern->most)
      return true;
  }
  return false;
}

}  // namespace eole::protocol
