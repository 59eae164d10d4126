#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

#include "ventilator/core/gates/due_times.hpp"
#include "ventilator/core/gates/gate.hpp"
#include "ventilator/core/limits/rate.hpp"

namespace eole::ventilator {

/// Of some keys so many attempts are leased a second, at most. One task of a key goes at a time: so
/// only the one whose turn it is may wait here, and what it was let go for it finds when it is
/// leased, however much later. Keys are known by their hashes.
class KeyRates {
 public:
  /// Zero: none. `turn`: whose turn it is of this key; zero: nobody's.
  void set(const std::string& name, std::uint64_t key, double per_second, Seq turn, TimePoint now);
  void on_turn(std::uint64_t key, Seq seq);
  void on_over(Seq seq);
  /// True: it waits, until take_due tells of it. Of others than those whose turn it is: false.
  bool hold(Seq seq, TimePoint now);
  /// Tasks first, first + 1 …
  void on_leased(Seq first, std::uint64_t count, TimePoint now);
  std::optional<Seq> take_due(TimePoint now) { return held_.take_due(now); }
  std::optional<TimePoint> next_deadline() const { return held_.next(); }
  std::optional<Why> why(Seq seq, const Moment& moment) const;

 private:
  struct Limited {
    std::string name;
    Rate rate = {};
  };
  std::unordered_map<std::uint64_t, Limited> limited_;
  std::map<Seq, Limited*> turns_;
  DueTimes<TimePoint> held_;
};

}  // namespace eole::ventilator
