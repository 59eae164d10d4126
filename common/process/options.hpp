#pragma once
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"

namespace eole::process {

constexpr const char* kRelease = "0.1.0";
/// What a supervisor tells a role in its environment: how often it was started again.
constexpr const char* kRestarts = "EOLE_RESTARTS";
std::uint32_t restarts();

/// Whole numbers and sizes as people write them, within limits. Errors say what was written, and
/// the limits. A size is a number with B, kB, MB, GB, TB, or KiB, MiB, GiB, TiB.
Expected<std::uint64_t> parse_number(std::string_view written, std::uint64_t least,
                                     std::uint64_t most);
Expected<std::uint64_t> parse_size(std::string_view written, std::uint64_t least);

/// What may be set: of a role, and of `eole up`, which hands it on.
constexpr std::uint64_t kSlotsMax = 1024;
constexpr std::uint64_t kPrefetchMax = 8192;
constexpr std::uint64_t kKeepDaysMax = 36'500;    // For ever.
constexpr std::uint64_t kKeepBytesMin = 1 << 20;  // Less would keep next to nothing.

/// The command line of a role: flags with a value, and switches. Each flag is also read from the
/// environment (--lost-after: EOLE_LOST_AFTER); the command line wins.
class Options {
 public:
  Options(std::string program, std::string purpose);
  void text(std::string flag, std::string& value, std::string placeholder, std::string help);
  /// As often as it is said: all of it, with commas between.
  void list(std::string flag, std::string& value, std::string placeholder, std::string help);
  /// Likewise, each for itself: they may hold commas.
  void texts(std::string flag, std::vector<std::string>& values, std::string placeholder,
             std::string help);
  void duration(std::string flag, Duration& value, std::string placeholder, std::string help);
  template <class Int>
  void number(std::string flag, Int& value, std::string placeholder, std::string help,
              std::uint64_t least = 0,
              std::uint64_t most = static_cast<std::uint64_t>(std::numeric_limits<Int>::max())) {
    add_number(
        std::move(flag), std::move(placeholder), std::move(help), std::to_string(value),
        [least, most](const std::string& given) { return parse_number(given, least, most); },
        [&value](std::uint64_t number) { value = static_cast<Int>(number); });
  }
  /// A size in bytes: 500000, 10GB, 64MiB.
  void size(std::string flag, std::uint64_t& value, std::string placeholder, std::string help,
            std::uint64_t least);
  void toggle(std::string flag, bool& value, std::string help);

  /// The exit code if the program is to end now: 0 after --help or --version, 2 after a mistake.
  std::optional<int> parse(int argc, char** argv);

 private:
  struct Flag {
    std::string name;
    std::string placeholder;  // Empty: a switch.
    std::string help;
    std::string preset;
    std::function<Expected<void>(const std::string&)> set;
  };
  void add_number(std::string flag, std::string placeholder, std::string help, std::string preset,
                  std::function<Expected<std::uint64_t>(const std::string&)> parse,
                  std::function<void(std::uint64_t)> set);
  void print_help() const;
  std::string program_;
  std::string purpose_;
  std::vector<Flag> flags_;
};

}  // namespace eole::process
