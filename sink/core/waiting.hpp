#pragma once
#include <cstdint>
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
  /// `until`: the task that must be announced. The oldest make room of the key that has most.
  void keep(const ResultsReceived& event, const TaskId& until);
  /// Keeps results that follow kept ones of the same worker; true if they do.
  bool keep_behind(const ResultsReceived& event);
  /// Those that this origin's level lets go on, in the order of the tasks that they waited for;
  /// those that waited for the same one, as all of a worker's do, as they came.
  std::vector<ResultsReceived> take(Origin origin, Seq announced);
  std::size_t bytes() const { return bytes_; }

 private:
  /// What must be announced, and how many came before.
  using Place = std::tuple<Origin, Seq, std::uint64_t>;
  using Entries = std::map<Place, ResultsReceived>;
  struct OfKey {
    std::map<std::uint64_t, Place> entries;  // As they came.
    std::size_t bytes = 0;
  };
  /// Whose results of which origin, and the number behind them.
  using End = std::tuple<RunId, Origin, std::uint64_t, std::string>;
  static End end_of(const ResultsReceived& event);
  static std::size_t bytes_of(const ResultsReceived& event);
  void make_room();
  ResultsReceived remove(Entries::iterator entry);
  Entries entries_;
  std::map<std::string, OfKey> keys_;
  std::map<End, Seq> until_;  // Of the entries: what waits comes again every second.
  std::uint64_t came_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace eole::sink
