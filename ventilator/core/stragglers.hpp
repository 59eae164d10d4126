#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/task_class.hpp"

namespace eole::ventilator {

/// Which tasks of classes that ask for it (`speculate`) have run for much longer than others of
/// their class: each may get a second copy. Knows nothing of other classes.
class Stragglers {
 public:
  /// How long the last few of a class took that were done; their median is what is usual.
  static constexpr std::size_t kTookMax = 31;
  static constexpr std::size_t kTookMin = 3;  // Of fewer nothing can be said.
  /// Classes without a task of which that is still known, for the next one that comes.
  static constexpr std::size_t kEmptiedMax = 64;
  /// A straggler has run for so many times the median, and `patience` besides: a copy that takes
  /// the usual time is done before it then, more often than not.
  static constexpr int kTimesUsual = 2;

  explicit Stragglers(Duration patience) : patience_(patience) {}

  /// An attempt begins; a copy begins none.
  void on_leased(Seq seq, ClassId id, const protocol::TaskClass& task_class, TimePoint now);
  void on_done(Seq seq, ClassId id, TimePoint now);
  /// It ended otherwise: how long that took is not what is usual.
  void on_given_up(Seq seq, ClassId id);
  /// It has no task any more, and another class may get its id.
  void forget(ClassId id);
  bool is_empty() const { return classes_.empty(); }

  /// The one that has run the longest of those that may have a copy; nothing: none has.
  using MayCopy = std::function<bool(Seq, ClassId)>;
  std::optional<Seq> find(TimePoint now, const MayCopy& may_copy) const;
  /// From when on a task of this class is a straggler; nothing: not known.
  std::optional<Duration> limit(ClassId id) const;

 private:
  struct Class {
    protocol::TaskClass task_class;
    std::deque<Duration> took;  // The last few.
    std::unordered_map<Seq, TimePoint> begun = {};
  };
  Duration patience_;
  std::unordered_map<ClassId, Class> classes_;
  std::deque<Class> emptied_;  // The last one at the end.
};

}  // namespace eole::ventilator
