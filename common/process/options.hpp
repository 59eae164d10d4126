#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.hpp"

namespace eole::process {

/// The bytes of a size as people write it: a number with B, kB, MB, GB, TB, or KiB, MiB, GiB, TiB.
std::optional<std::uint64_t> parse_size(std::string_view written);

/// The command line of a role: flags with a value, and switches. Each flag is also read from the
/// environment (--lost-after: EOLE_LOST_AFTER); the command line wins.
class Options {
 public:
  Options(std::string program, std::string purpose);
  void text(std::string flag, std::string& value, std::string placeholder, std::string help);
  /// As often as it is said: all of it, with commas between.
  void list(std::string flag, std::string& value, std::string placeholder, std::string help);
  void duration(std::string flag, Duration& value, std::string placeholder, std::string help);
  template <class Int>
  void number(std::string flag, Int& value, std::string placeholder, std::string help) {
    add_number(std::move(flag), std::move(placeholder), std::move(help), std::to_string(value),
               static_cast<std::uint64_t>(std::numeric_limits<Int>::max()),
               [&value](std::uint64_t number) { value = static_cast<Int>(number); });
  }
  /// A size in bytes: 500000, 10GB, 64MiB.
  void size(std::string flag, std::uint64_t& value, std::string placeholder, std::string help);
  void toggle(std::string flag, bool& value, std::string help);

  /// The exit code if the program is to end now: 0 after --help or --version, 2 after a mistake.
  std::optional<int> parse(int argc, char** argv);

 private:
  struct Flag {
    std::string name;
    std::string placeholder;  // Empty: a switch.
    std::string help;
    std::string preset;
    std::function<bool(const std::string&)> set;
  };
  void add_number(std::string flag, std::string placeholder, std::string help, std::string preset,
                  std::uint64_t most, std::function<void(std::uint64_t)> set);
  void print_help() const;
  std::string program_;
  std::string purpose_;
  std::vector<Flag> flags_;
};

}  // namespace eole::process
