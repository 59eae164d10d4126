#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/time.hpp"
#include "common/base/within.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/admission.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/explain.hpp"
#include "ventilator/core/fleet.hpp"
#include "ventilator/core/follower.hpp"
#include "ventilator/core/gates/due_times.hpp"
#include "ventilator/core/gates/gates.hpp"
#include "ventilator/core/last_attempts.hpp"
#include "ventilator/core/limits/limits.hpp"
#include "ventilator/core/project_controls.hpp"
#include "ventilator/core/project_counts.hpp"
#include "ventilator/core/queue.hpp"
#include "ventilator/core/retries.hpp"
#include "ventilator/core/stragglers.hpp"
#include "ventilator/core/tasks.hpp"
#include "ventilator/core/verdicts.hpp"
#include "ventilator/core/wish_controls.hpp"

namespace eole::ventilator {

/// Decides what a ventilator does: accepts, dispatches by credit, redelivers what workers lose,
/// settles by following the sink's log. Pure: no socket, clock, file or random device.
/// The node calls on_event for all input that waits, then on_deadline once, then performs the
/// actions: the journal's first, then a commit, then the rest.
/// Here are the parts, the order in which they are asked, and what changes several of them.
class Core {
 public:
  Core(Config config, Durable durable, const Moment& moment);

  /// Before the events of each turn.
  void read_clock(const Moment& moment) { moment_ = moment; }
  void on_event(Event&& event, TimePoint now, Actions& out);
  void on_deadline(TimePoint now, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  /// The next record of a snapshot of what the journal must know; nothing: that was all.
  std::optional<PartRecord> save(SavePlace& place) const;
  Origin origin() const { return durable_.origin; }
  std::uint32_t start() const { return durable_.start; }
  std::uint64_t accepted() const { return durable_.last; }
  const SeqRanges& settled() const { return durable_.settled; }
  std::uint64_t cursor() const { return follower_.cursor(); }
  bool is_introduced() const { return follower_.is_introduced(); }
  std::uint64_t running() const { return tasks_.leased(); }
  std::uint64_t queued() const { return durable_.last - durable_.settled.count() - running(); }
  /// Of these, those that wait at a gate, or for their next attempt.
  std::uint64_t held() const { return gates_.size() + tasks_.timed(); }
  /// Leases that were lost with their workers, in this start.
  std::uint64_t redelivered() const { return tasks_.lost(); }
  /// Of those that wait for a worker; nothing: none does. Costs a look at each lane.
  std::optional<Seq> oldest_queued() const { return queue_.oldest(durable_.settled); }
  /// How much of the log it has still to read.
  std::uint64_t log_lag() const { return follower_.lag(); }
  const Answers& answers() const { return durable_.answers; }
  std::size_t verdicts_pushed() const { return verdicts_.pushed(); }
  std::vector<WorkerView> workers() const { return fleet_.views(tasks_.placement()); }
  std::map<std::string, protocol::KindOffer> kinds() const { return fleet_.kinds(); }
  /// How many left, or were lost, within the last day, or since the start.
  std::size_t workers_left(TimePoint now) const { return fleet_.left(now); }
  /// No task above this one has ever been more than queued in this start.
  Seq dispatched_to() const { return tasks_.highest(); }
  /// Only who has the role admin may ask for this control: it is about others' work.
  static bool is_operators(std::string_view what);
  const Limits& limits() const { return limits_; }
  const Wishes& wishes() const { return durable_.wishes; }
  const Schedules& schedules() const { return durable_.schedules; }
  /// Null if the task was never accepted, is settled, or damage took it.
  const protocol::TaskClass* class_of(Seq seq) const { return durable_.classes.class_of(seq); }
  /// How many of the tasks that were accepted are in some place: settled, more than queued, held at
  /// a gate, or in a lane. Nothing: what an earlier start left is not in its places yet. Walks all
  /// of them: for tests.
  std::optional<std::uint64_t> accounted() const;
  /// For what people ask of one task …
  Explain explain() const;
  /// … and of projects.
  ProjectCounts project_counts() const;

 private:
  using State = Task::State;
  using Range = protocol::Settlement::Range;

  void on(Submitted& event, TimePoint now, Actions& out);
  void on(CancelAsked& event, TimePoint now, Actions& out);
  void on(ControlAsked& event, TimePoint now, Actions& out);
  void on(HelloReceived& event, TimePoint now, Actions& out);
  void on(BeatReceived& event, TimePoint now, Actions& out);
  void on(CreditReceived& event, TimePoint now, Actions& out);
  void on(GoodbyeReceived& event, TimePoint now, Actions& out);
  void on(PipeEnded& event, TimePoint now, Actions& out);
  void on(IntroducedReceived& event, TimePoint now, Actions& out);
  void on(SettledReceived& event, TimePoint now, Actions& out);
  void on(SinkRefused& event, TimePoint now, Actions& out);

  // Clients: core_clients.cpp.
  /// Whether tasks may be taken as all stands now.
  Admission admission() const;
  void take(Seq first, std::string_view groups, std::int64_t unix_ms);
  void tell_accepted(Seq first, std::string_view groups, Actions& out) const;
  /// What happened just now, if anybody listens.
  void tell(TellNews news, Actions& out) const {
    if (moment_.has_listeners) out.push_back(std::move(news));
  }
  /// One a second, from `next` on: who is held by a limit is so in each turn.
  void tell_limit(TimePoint& next, std::string code, std::string reason,
                  const protocol::TaskClass& task_class, TimePoint now, Actions& out);
  void forget_old_answers(TimePoint now);
  void cancel(Seq seq, Actions& out);

  // Gates: core_gates.cpp.
  void enter(Seq first, ClassId id, std::string_view specs, std::int64_t accepted_unix_ms);
  void enter_recovered();
  void let_go(Released released);
  void let_go(Seq seq);
  void end_unbegun(const Released::Ended& ended);
  void open_gates();

  // What people want to hold from now on: core_control.cpp.
  struct Control;
  static const Control* find_control(std::string_view what);
  WishControls wish_controls();
  ProjectControls project_controls();

  // Projects: core_projects.cpp.
  void end_tasks(const std::vector<EndedTasks>& ended, Released& released, Actions& out);
  void end_projects(Actions& out);
  void accept_last(const std::string& name, Project project, Actions& out);
  void end_recovered_projects();
  Expected<protocol::Value> control_cancel(const protocol::Value& options, Actions& out);

  // Schedules: core_schedules.cpp.
  void fire_schedules(Actions& out);
  Expected<protocol::Value> control_schedule(const protocol::Value& options, Actions& out);
  Expected<Bytes> set_up_schedule(const std::string& name, const protocol::Value& options);

  // Workers: core_workers.cpp.
  Worker* heard(const Link& link, const Peer& peer, const std::string& user, TimePoint now,
                Actions& out);
  std::vector<protocol::Order> judge_held(Worker& worker, const std::vector<protocol::Held>& held,
                                          TimePoint now, Actions& out);
  std::optional<protocol::OrderKind> judge_one(Worker& worker, const protocol::Held& held,
                                               TimePoint now, Actions& out);
  void adopt(Worker& worker, Seq seq, const Lease& lease, Actions& out);
  void suspect_missing(Worker& worker, const BeatReceived& beat, TimePoint now);
  /// `event`: what who listens is told of it, left or lost.
  void lose_worker(RunId run, const char* event, const std::string& reason, Actions& out);
  void judge_workers(TimePoint now, Actions& out);
  void use_free_slots(TimePoint now, Actions& out);
  bool recall_for(const std::vector<const Worker*>& wanting, TimePoint now, Actions& out);
  void release(Task& task);
  /// The result that settled it may be of another lease than its own.
  bool may_run_on(Seq seq, const Task& task) const;
  /// It is over for who has it, who may not know.
  void doubt_holders(const Task& task, Actions& out);

  // Second copies: core_copies.cpp.
  void copy_stragglers(const std::vector<const Worker*>& wanting, TimePoint now, Actions& out);
  bool may_copy(Seq seq, ClassId id, const Worker& worker, TimePoint now) const;
  /// Of two copies of a task this one is over, and settles nothing.
  void end_copy(Task& task, Lease lease, const std::string& reason);
  void end_elder(Task& task);
  bool is_lost_copy(const Task& task, Lease lease) const;
  void lose_copy(Seq seq, Task& task, Lease lease, const std::string& reason, Actions& out);

  // The log: core_log.cpp.
  void settle(const Range& range, Actions& out);
  void fail(const protocol::Settlement::Failure& failure, TimePoint now, Actions& out);
  void judge_suspects(const Suspicion& suspicion, TimePoint now, Actions& out);
  void bury_lost(Actions& out);
  void open_recovered(TimePoint now, Actions& out);
  void push_verdicts(TimePoint now, Actions& out);

  // Who gets what: core_dispatch.cpp.
  void count_ran(const protocol::Settlement::Ran& ran);
  void count_started(Worker& worker, const std::vector<protocol::Held>& held);
  void count_ended(Seq seq, const Task& task, bool is_told);
  void count_settled(const Range& range);
  Decision decide_on(Seq seq, const Task& task, AttemptEnd end_of) const;
  void give_back(Seq seq, Task& task, AttemptEnd end_of, const std::string& reason, TimePoint now,
                 Actions& out);
  void note_unbegun(Seq seq, const Task& task, Actions& out);
  void end_waits(TimePoint now);
  void enqueue(Seq seq, Task& task, bool in_front);
  void end(Seq seq, Task& task, protocol::TaskState verdict);
  void dispatch(TimePoint now, Actions& out);
  void dispatch_alone(TimePoint now, Actions& out);
  void dispatch_queued(const Queue::Room& room, TimePoint now, Actions& out);
  void keep_room(TimePoint now);
  std::uint64_t waiting_for(const Worker& worker) const;
  /// What is leased to one worker in one go.
  struct Load {
    std::vector<LeaseRun> runs;
    std::uint64_t count = 0;
    bool needs_sync = false;
  };
  Load load_for(const Worker& worker, std::uint64_t most, std::uint64_t among,
                const Queue::Room& room, TimePoint now);
  void lease_to(const Worker& worker, Seq seq, ClassId id, Load& load);
  void send(Worker& worker, Load load, Actions& out);

  Config config_;
  Durable durable_;  // Its notes are in tasks_.
  Tasks tasks_;
  Gates gates_;
  Queue queue_;
  Limits limits_;
  LastAttempts last_attempts_;
  Stragglers stragglers_;
  DueTimes<TimePoint> timers_;  // Of those that wait, and of some that do no more.
  Fleet fleet_;
  Follower follower_;
  Verdicts verdicts_;
  Moment moment_;
  /// What an earlier start left.
  struct Recovery {
    TimePoint started{};
    bool is_noted_open = false;
    Released let_go = {};  // By the gates, before the queue is open to them.
  };
  Recovery recovery_;
  struct Next {
    std::uint64_t lease = 1;  // Its number.
    TimePoint recall{};
    TimePoint put_right{};
    TimePoint keep{};
    TimePoint prune{};
    TimePoint held_limit{};    // That one is told of which holds tasks,
    TimePoint submit_limit{};  // or refused a submit.
  };
  Next next_;
};

}  // namespace eole::ventilator
