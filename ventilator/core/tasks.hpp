#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_table.hpp"
#include "common/base/time.hpp"
#include "common/protocol/records.hpp"
#include "ventilator/core/notes.hpp"
#include "ventilator/core/parts.hpp"
#include "ventilator/core/placement.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

/// Of the few tasks that something happened to.
struct Story {
  std::vector<std::string> reasons;
  std::vector<std::string> lost;  // Of these, attempts that no worker tells the end of.
  std::uint16_t returns = 0;  // How often a worker gave it back unasked.
  bool is_feared = false;  // A worker was lost that had it: it may kill them.
  TimePoint waits_until{};  // While it waits for a time.
  Why why_ended;            // It ends for this, not after its attempts.
  Lease failed;            // The last lease whose failure was read in the log: it is over.
  Lease failed_copy;       // So failed one of two copies: it says nothing of the other.
  /// The lease before the task's own, while both run: its second copy was leased since. None: its
  /// run is zero.
  struct Elder {
    RunId run = 0;
    Lease lease;
  };
  Elder elder;
  bool was_copied = false;  // This attempt has had its copy.
};

/// A task that is more than queued. Only Tasks moves it from state to state.
class Task {
 public:
  enum class State : std::uint8_t {
    kReady,    // Waits for a worker.
    kWaiting,  // For a time.
    kNoted,    // A start found its note: its worker may come back.
    kLeased,   // A worker has it.
    kSuspect,  // Its worker may have lost it; whether it is settled is being read.
    kEnding,   // Ends without a worker; pushed until the log has it.
  };
  State state() const { return state_; }
  bool is(State state) const { return state_ == state; }
  /// Leased to `by` under `as`, and not to anybody else since but for a second copy.
  bool is_leased(RunId by, const Lease& as) const {
    return state_ == State::kLeased && ((run == by && lease == as) || is_elder(by, as));
  }
  bool has_elder() const { return story && story->elder.run != 0; }
  bool is_elder(RunId by, const Lease& as) const {
    return has_elder() && story->elder.run == by && story->elder.lease == as;
  }
  Story& told() {
    if (!story) story = std::make_unique<Story>();
    return *story;
  }
  void add_reason(std::string reason, bool is_lost = false);
  bool is_feared() const { return story && story->is_feared; }

  bool is_cancelled = false;
  bool is_unconfirmed = false;
  bool is_recalled = false;  // Asked back: its worker may have more.
  std::uint8_t recalls = 0;
  protocol::TaskState verdict = protocol::TaskState::kDead;
  std::uint16_t attempt = 0;  // Attempts begun.
  ClassId class_id = kNoClass;  // Once it was leased.
  Lease lease;
  RunId run = 0;
  TimePoint since{};  // Leased then; zero: by an earlier start.
  std::unique_ptr<Story> story;

 private:
  friend class Tasks;
  State state_ = State::kReady;
};

/// The table of the tasks that are more than queued, and the only moves between their states.
class Tasks {
 public:
  using State = Task::State;

  Task* find(Seq seq) { return table_.find(seq); }
  const Task* find(Seq seq) const { return table_.find(seq); }
  /// Task `seq` if it is leased so; else null.
  Task* leased_as(Seq seq, const Lease& lease, RunId run);
  /// A new one is ready, as it was while it waited for its first dispatch.
  Task& at(Seq seq);

  void note(Task& task, ClassId id = kNoClass);
  /// The next attempt begins.
  void lease(Task& task, RunId run, const Lease& lease, ClassId id = kNoClass);
  /// A second copy begins, as the next attempt; the lease that it has stays as its elder.
  void copy(Task& task, RunId run, const Lease& lease);
  /// One of its two leases is over: the other one goes on.
  void end_one(Task& task, Lease lease);
  /// The same of one that never began. True: it was the second copy, and used up no attempt.
  bool end_unbegun(Task& task, Lease lease);
  /// Who says that it holds the task keeps it.
  void adopt(Task& task, RunId run, const Lease& lease, ClassId id = kNoClass);
  void suspect(Task& task);
  /// It is nobody's now; lost with its worker, it is counted.
  void give_back(Task& task, bool is_lost = false);
  /// Not before `until`.
  void wait(Task& task, TimePoint until);
  void end(Task& task, protocol::TaskState verdict);
  void settle(Seq seq);

  std::uint64_t size() const { return table_.size(); }
  std::uint64_t leased() const { return count(State::kLeased); }
  /// That wait for a time, and not at a gate.
  std::uint64_t timed() const { return timed_; }
  /// Leases beyond one a task.
  std::uint64_t copies() const { return copies_; }
  /// Attempts that were lost with their workers, in this start.
  std::uint64_t lost() const { return lost_; }
  std::uint64_t count(State state) const { return counts_[static_cast<std::size_t>(state)]; }
  Placement& placement() { return placement_; }
  const Placement& placement() const { return placement_; }
  /// By class: those that a worker has, or may have still.
  const std::vector<std::uint64_t>& running() const { return running_; }
  /// No task above this one has ever been more than queued in this start.
  Seq highest() const { return highest_; }
  template <class Visit>
  void for_each(Visit&& visit) {
    table_.for_each(visit);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    table_.for_each(visit);
  }
  /// Appends what a snapshot has of their notes, from place.number on.
  void save_notes(SavePlace& place, Bytes& out) const;

 private:
  static constexpr std::size_t kStates = 6;
  /// `from`: where the move may come from, a bit each. `run`: whose it is then.
  void move(Task& task, State to, unsigned from, RunId run);

  SeqTable<Task> table_;
  void count(const Task& task, std::uint64_t more);

  std::array<std::uint64_t, kStates> counts_{};
  std::vector<std::uint64_t> running_;
  Placement placement_;
  std::uint64_t timed_ = 0;
  std::uint64_t copies_ = 0;
  std::uint64_t lost_ = 0;
  Seq highest_ = 0;
};

}  // namespace eole::ventilator
