#pragma once
#include <array>
#include <cstdint>

#include "common/base/seq_ranges.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

/// Of one origin; some 64 bytes of memory each. Beyond them the tasks with the lowest numbers are
/// taken for done.
constexpr std::size_t kNotDoneRangesMax = 1'000'000;

/// How those settled tasks of an origin ended that were not done, as ranges of each state.
class NotDone {
 public:
  /// What was done is known by its absence.
  void add(const Settlement::Range& range, TaskState state);
  /// Of a settled task.
  TaskState state_of(Seq seq) const;
  /// The lowest of these tasks that was not done; zero: all were.
  Seq first_within(Seq first, Seq last) const;
  /// `state`: failed, dead or cancelled.
  const SeqRanges& of(TaskState state) const { return ranges_[index_of(state)]; }
  std::uint64_t count() const;
  std::size_t range_count() const;
  bool operator==(const NotDone&) const = default;

 private:
  static std::size_t index_of(TaskState state) {
    return static_cast<std::size_t>(state) - static_cast<std::size_t>(TaskState::kFailed);
  }
  void forget_lowest();
  std::array<SeqRanges, 3> ranges_;
};

/// Those states that are not done.
inline constexpr std::array kNotDoneStates{TaskState::kFailed, TaskState::kDead,
                                           TaskState::kCancelled};

}  // namespace eole::protocol
