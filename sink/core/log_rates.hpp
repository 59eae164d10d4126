#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/base/time.hpp"

namespace eole::sink {

/// Of what one peer logs, for as long as it likes, and at once; each message counts as a few lines.
constexpr std::size_t kLogBytesPerSecondMax = 16 << 10;
constexpr std::size_t kLogBytesAtOnceMax = 1 << 20;
constexpr std::size_t kLogMessageBytesMin = 256;
constexpr std::size_t kLogPeersMax = 1024;

/// How much of what peers log is kept: one that says much is cut short, others are not. Pure.
class LogRates {
 public:
  /// So many lines of so many bytes came. How many were left out before them; nothing: these are,
  /// too.
  std::optional<std::uint64_t> take(const std::string& peer, std::size_t bytes, std::uint64_t lines,
                                    TimePoint now);

 private:
  struct Peer {
    double room = kLogBytesAtOnceMax;
    TimePoint since{};
    std::uint64_t left_out = 0;
  };
  static void refill(Peer& peer, TimePoint now);
  void forget_quiet(TimePoint now);

  std::map<std::string, Peer> peers_;
};

}  // namespace eole::sink
