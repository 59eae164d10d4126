#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "sink/core/events.hpp"

namespace eole::sink {

constexpr std::size_t kWaitingBytesMax = 16 << 20;  // With what keeping each message costs.

/// Results that came before their ventilator's word: of an origin that is not introduced, or with a
/// number above what it announced. They are not acknowledged, so whatever finds no room here comes
/// again; keeping them spares the worker's pause. Those that name artifacts are not kept: whether
/// the sink has one, and until when it needs it, is judged when the result is taken.
class Waiting {
 public:
  /// `until`: the task that must be announced. The oldest make room.
  void keep(const ResultsReceived& event, const TaskId& until);
  /// Keeps results that follow kept ones of the same worker; true if they do.
  bool keep_behind(const ResultsReceived& event);
  /// Those that this origin's level lets go on, in the order in which they came.
  std::vector<ResultsReceived> take(Origin origin, Seq announced);
  std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    ResultsReceived event;
    Seq until = 0;
  };
  /// Whose results of which origin, and the number behind them.
  using End = std::tuple<RunId, Origin, std::uint64_t, std::string>;
  static End end_of(const ResultsReceived& event);
  static std::size_t bytes_of(const Entry& entry);
  std::deque<Entry> entries_;
  std::map<End, Seq> until_;  // Of the entries: what waits comes again every second.
  std::size_t bytes_ = 0;
};

}  // namespace eole::sink
