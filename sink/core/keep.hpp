#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "common/base/time.hpp"
#include "sink/core/origins.hpp"
#include "sink/core/readers.hpp"

namespace eole::sink {

constexpr Duration kKept = 24h;  // Whatever else holds.
constexpr std::int64_t kKeptMs = kKept / 1ms;
constexpr Duration kAwaited = 7 * 24h;  // A ventilator that says nothing, or the first one.
constexpr std::size_t kMarksMax = 256;  // Of each origin; some 40 bytes each.
constexpr std::int64_t kMarkEveryMs = 10LL * 60 * 1000;
constexpr Duration kSampleEvery = 1h;
constexpr std::int64_t kAllKept = INT64_MIN;

/// Decides which artifacts are superfluous, from when each was last put or named: what no result of
/// the log needs, nobody put or named for a day, and no task that is not settled may need. A task
/// may need what was kept when its number was announced, and of a ventilator that is silent nobody
/// knows what it accepted since. A day passes by the steady clock, too: one that people set makes
/// nothing older. Pure: it looks every now and then.
class Keep {
 public:
  /// `unix_ms`: its clock begins there at the earliest, as the records of the log did.
  explicit Keep(std::int64_t unix_ms) : unix_ms_(unix_ms) {}
  /// What was put and named last before this Unix time (ms) is superfluous. `oldest`: the time of
  /// the oldest result in the log; nothing if there is none.
  std::int64_t superfluous_before(TimePoint now, std::int64_t unix_ms,
                                  std::optional<std::int64_t> oldest, const Origins& origins,
                                  const Readers& readers);
  /// The Unix time that counts for artifacts: it never goes back.
  std::int64_t unix_ms() const { return unix_ms_; }

 private:
  /// Tasks whose numbers were announced about the same time.
  struct Mark {
    Seq first = 0;
    Seq last = 0;
    std::int64_t kept_from = 0;  // What they need was put or named then, or later.
    std::int64_t made = 0;
  };
  struct Sample {
    TimePoint at{};
    std::int64_t unix_ms = 0;
  };
  void mark(Origin origin, Seq announced, std::int64_t kept_from);
  void sample(TimePoint now);
  /// What counted for artifacts a day before `time`, at most.
  std::int64_t day_before(TimePoint time) const;
  std::optional<TimePoint> started_;
  std::deque<Sample> samples_;  // The last kAwaited and a day.
  std::int64_t unix_ms_;
  std::optional<std::int64_t> kept_before_;  // At the last look: clocks may have jumped since.
  std::map<Origin, Seq> announced_;          // As marked.
  std::map<Origin, std::vector<Mark>> marks_;
};

}  // namespace eole::sink
