#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "common/base/time.hpp"

namespace eole::gateway {

/// Who showed what is no token, lately. Pure.
class Guesses {
 public:
  static constexpr std::uint32_t kGuessesMax = 10;   // Of one address, within a second.
  static constexpr std::size_t kGuessersMax = 4096;  // Addresses that guessed within a second.

  /// One more, of `address`. False: it is over kGuessesMax, or too many others guess, too.
  bool guess(const std::string& address, TimePoint now);

 private:
  struct Tries {
    TimePoint since{};
    std::uint32_t count = 0;
  };
  std::map<std::string, Tries> tries_;
};

}  // namespace eole::gateway
