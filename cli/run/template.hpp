#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"

namespace eole::cli {

/// What one job is made of: its place, from 1 on, and a text of each source.
struct JobInputs {
  std::uint64_t number = 0;
  std::vector<std::string> texts;
  bool operator==(const JobInputs&) const = default;
};
/// All texts with a blank between them.
std::string joined(const JobInputs& inputs);

/// `value` as one word of a line for a shell: what is special gets a backslash, a line end quotes.
std::string quoted(std::string_view value);

/// A command line with places for inputs: {} {.} {/} {//} {/.} {#}, with a number in front ({2/.})
/// those of one source. What stands in quotes there is replaced as well: an input is always what it
/// is, never a piece of shell. Pure.
class Template {
 public:
  /// Errors: a place where no text can be put in safely.
  static Expected<Template> parse(std::string_view written);
  /// A whole line that stands for itself.
  static Template of_line(std::string_view line);

  bool has_places() const { return has_places_; }
  /// The highest source that it names; zero: none by number.
  std::size_t highest_source() const { return highest_source_; }
  /// For /bin/sh.
  std::string line(const JobInputs& inputs) const;
  /// The program and its arguments, if the line needs no shell: it has words only, plain or quoted,
  /// and names a program, not what only a shell can do.
  std::optional<std::vector<std::string>> argv(const JobInputs& inputs) const;
  /// With the texts as they are: for the names of files.
  std::string plain(const JobInputs& inputs) const;

 private:
  enum class What : std::uint8_t { kWhole, kStem, kBase, kDirectory, kBaseStem, kNumber };
  enum class Context : std::uint8_t { kBare, kSingle, kDouble };
  struct Piece {
    std::string literal = {};
    bool is_place = false;
    What what = What::kWhole;
    std::size_t source = 0;  // Zero: all of them.
    Context context = Context::kBare;
  };
  class Parser;
  static std::optional<Piece> place_at(std::string_view written, std::size_t& at);
  static std::vector<std::string> values(const Piece& piece, const JobInputs& inputs);

  std::vector<Piece> pieces_;
  std::vector<std::vector<Piece>> words_;  // Of a line that needs no shell.
  bool has_places_ = false;
  std::size_t highest_source_ = 0;
};

}  // namespace eole::cli
