#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/run/template.hpp"

namespace eole::cli {

/// Numbers from first to last, the step between them may be negative.
struct NumberRange {
  std::int64_t first = 1;
  std::int64_t last = 0;
  std::int64_t step = 1;
  std::uint64_t count() const;
  bool operator==(const NumberRange&) const = default;
};
/// "1-1000", "0-100:10", "10-1". Errors say what is wrong with it.
Expected<NumberRange> parse_range(const std::string& written);

/// Texts that are known, or numbers that stand for themselves.
class TextList {
 public:
  explicit TextList(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  explicit TextList(const NumberRange& range) : range_(range) {}
  std::uint64_t size() const { return range_ ? range_->count() : texts_.size(); }
  std::string at(std::uint64_t place) const;

 private:
  std::vector<std::string> texts_;
  std::optional<NumberRange> range_;
};

/// Lists that go together: one text of each, up to the end of the shortest.
using LinkedLists = std::vector<TextList>;

/// Every combination of an input of the first source with one of each of the others; the last
/// source changes first. The first source comes as it comes, so that it may be endless. Pure.
class Combination {
 public:
  /// `linked`: to the first source; `others`: the other sources in their order.
  Combination(LinkedLists linked, std::vector<LinkedLists> others);

  /// No more jobs follow, whatever the first source still has.
  bool is_over() const { return is_over_; }
  /// The next job needs another input of the first source.
  bool wants_first() const { return !is_over_ && !first_; }
  void give_first(std::string text);
  /// The next job. Neither wants_first() nor is_over() before it.
  JobInputs next();

 private:
  LinkedLists linked_;
  std::vector<LinkedLists> others_;
  std::vector<std::uint64_t> sizes_;   // Of the others.
  std::vector<std::uint64_t> places_;  // In the others.
  std::optional<std::string> first_;
  std::uint64_t row_ = 0;  // How many of the first source came before.
  std::uint64_t rows_max_ = UINT64_MAX;
  std::uint64_t number_ = 0;
  bool is_over_ = false;
};

}  // namespace eole::cli
