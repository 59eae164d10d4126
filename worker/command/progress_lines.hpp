#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace eole::command {

/// How far a command says it is, in lines: "DONE", "DONE/TOTAL", or either and a blank and a text;
/// a line of another form is a text alone. Of a line that is too long the begin counts. Pure.
class ProgressLines {
 public:
  static constexpr std::size_t kLineBytesMax = 4096;

  struct Told {
    std::uint64_t done = 0;
    std::uint64_t total = 0;  // Zero: not known.
    std::string text;
    bool operator==(const Told&) const = default;
  };
  void add(std::string_view bytes);
  /// The last that was told since the last call; earlier ones are old.
  std::optional<Told> take();

 private:
  void read(std::string_view line);
  std::string begun_;  // A line without its end.
  Told told_;
  bool is_new_ = false;
};

}  // namespace eole::command
