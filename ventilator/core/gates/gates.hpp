#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/seq_table.hpp"
#include "ventilator/core/gates/delays.hpp"
#include "ventilator/core/gates/expiries.hpp"
#include "ventilator/core/gates/joins.hpp"
#include "ventilator/core/gates/keys.hpp"
#include "ventilator/core/gates/project_waits.hpp"

namespace eole::ventilator {

constexpr std::size_t kBehindMax = 4096;  // Looks at a waiting task, for a circle of waits.

/// Those of a task of this class, which were not refused. Its key is that of its prefix alone, if
/// it has one.
protocol::Conditions conditions_of(std::string_view encoded, const protocol::TaskClass& of);

/// All gates, each of which may hold a task: it is let go once none does.
class Gates {
 public:
  /// Both outlive it.
  Gates(Origin origin, const Projects& projects, const TaskClasses& classes)
      : keys_(origin), joins_(origin), project_waits_(projects, classes), classes_(classes) {}

  /// Why the tasks of a group with conditions cannot be taken, of which the first would be `first`
  /// and the submit's first `submit`; nothing if they can. Adds the projects that they wait for.
  std::optional<Error> why_refused(const protocol::TaskGroup& group, Seq first, Seq submit,
                                   Origin origin, std::set<std::string>& awaited) const;
  /// A task with conditions that were not refused. What nothing holds is in `out` at once.
  void enter(Seq seq, std::int64_t accepted_unix_ms, const protocol::Conditions& conditions,
             protocol::OnParentFailure on_failure, const Moment& moment, const SeqRanges& settled,
             Released& out);
  /// These tasks were settled as not done: comes before on_ended.
  void add_not_done(const protocol::Settlement::End& end) { not_done_.add(end.range, end.state); }
  void on_ended(Seq first, Seq last, const SeqRanges& settled, Released& out);
  /// The lowest of these tasks that was not done; zero: all were.
  Seq first_not_done(Seq first, Seq last) const { return not_done_.first_within(first, last); }
  /// So many tasks of a project ended; comes after its own entry knows whether they were done.
  void on_tasks_ended(const EndedTasks& ended, Released& out);
  /// A project is closed and over.
  void on_over(std::string_view project, Released& out);
  /// Who waits, over whatever others, for this task (some thousands at most): and for whom itself,
  /// zero if for this one. With this one, if its waits lead back to it: then they never end.
  using Behind = std::map<Seq, Seq>;
  Behind behind(Seq seq, std::string_view project) const;
  /// The last task of this key, behind which the next one goes; zero: there is none.
  Seq last_of(std::string_view key) const { return keys_.last_of(key); }
  bool waits_for(std::string_view project) const { return project_waits_.waits_for(project); }
  /// The sink said how all tasks ended that had.
  void on_introduced(const SeqRanges& settled, Released& out);
  void on_deadline(const Moment& moment, Released& out);
  std::optional<TimePoint> next_deadline(const Moment& moment) const;

  /// So many tasks are held.
  std::uint64_t size() const { return holds_.size(); }
  std::uint64_t size(Seq first, Seq last) const;
  template <class Visit>  // visit(seq)
  void each_held(Visit&& visit) const {
    holds_.for_each([&](Seq seq, std::uint8_t) { visit(seq); });
  }
  bool holds(Seq seq) const { return holds_.find(seq) != nullptr; }
  std::vector<Why> why(Seq seq, const Moment& moment) const;
  /// So many tasks of this key begin a second; zero: as many as can.
  void set_rate_of_key(const std::string& key, double per_second, TimePoint now) {
    keys_.set_rate(key, per_second, now);
  }
  /// A task that was let go would begin anew. True: it is held again, until that is due.
  bool hold_again(Seq seq, TimePoint now);
  void on_leased(Seq first, std::uint64_t count, TimePoint now) {
    keys_.on_leased(first, count, now);
  }
  /// How a task ends that came back before it began, if it is of no use any more.
  std::optional<Released::Ended> expired(Seq seq, const Moment& moment) const {
    return expiries_.expired(seq, moment);
  }

 private:
  /// Lets those go that no other gate holds.
  void release(Released& found, Released& out);

  Delays delays_;
  Expiries expiries_;
  Keys keys_;
  Joins joins_;
  ProjectWaits project_waits_;
  std::array<Gate*, 5> gates_{&delays_, &expiries_, &keys_, &joins_, &project_waits_};
  SeqTable<std::uint8_t> holds_;  // How many gates hold a task.
  protocol::NotDone not_done_;
  const TaskClasses& classes_;
  bool is_introduced_ = false;
};

}  // namespace eole::ventilator
