#pragma once
#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/base/seq_table.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"

namespace eole::ventilator {

/// What people ask about a worker.
struct WorkerView {
  std::string name;
  RunId run = 0;
  std::uint32_t pid = 0;
  std::uint32_t slots = 0;
  std::string kinds;
  std::string state;  // ready, suspect
  std::uint64_t held = 0;
};

/// What people ask about a task that is not settled.
struct TaskView {
  std::string state;  // queued, running, cancelling
  std::uint32_t attempt = 0;
  std::string worker;
  std::vector<std::string> reasons;
};

/// Decides what a ventilator does: accepts, dispatches by credit, redelivers what workers lose,
/// settles by following the sink's log. Pure: no socket, clock, file or random device.
/// The node calls on_event for all input that waits, then on_deadline once, then performs the
/// actions: the journal's first, then a commit, then the rest.
class Core {
 public:
  Core(Config config, Durable durable, TimePoint now);

  void on_event(Event event, TimePoint now, Actions& out);
  void on_deadline(TimePoint now, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  /// The next record of a snapshot of what the journal must know; nothing: that was all.
  std::optional<PartRecord> save(SavePlace& place) const;
  Origin origin() const { return durable_.origin; }
  std::uint32_t start() const { return durable_.start; }
  std::uint64_t accepted() const { return durable_.last; }
  const SeqRanges& settled() const { return durable_.settled; }
  std::uint64_t cursor() const { return cursor_; }
  bool is_introduced() const { return is_introduced_; }
  std::uint64_t running() const { return leased_; }
  std::uint64_t queued() const { return durable_.last - durable_.settled.count() - leased_; }
  std::vector<WorkerView> workers() const;
  /// No task above this one has ever been more than queued in this start.
  Seq dispatched_to() const { return active_highest_; }
  /// Nothing if the task was never accepted, or is settled.
  std::optional<TaskView> task(Seq seq) const;

 private:
  using Range = protocol::Settlement::Range;
  static constexpr Duration kReservedFor = 1s;  // At first.

  /// Tasks that were sent one after the other: seq, seq + 1 … under lease, lease + 1 …
  struct InPipe {
    std::uint64_t number = 0;  // The first one's; zero: received on an earlier link.
    Seq seq = 0;
    Lease lease;
    std::uint32_t count = 1;
  };
  struct Worker {
    Peer peer;
    Link link;
    std::string name;
    std::uint32_t pid = 0;
    std::uint32_t slots = 0;
    std::string kinds;
    std::uint64_t received = 0;
    std::uint64_t limit = 0;
    std::uint64_t sent = 0;
    std::uint64_t outstanding = 0;  // Leased to it and not settled.
    std::uint32_t stuck_beats = 0;  // Beats in which received < sent and nothing was sent.
    std::uint64_t sent_at_last_beat = 0;
    std::uint64_t last_beat = 0;
    TimePoint answered_beat{};  // When the last one was.
    TimePoint last_heard{};
    std::optional<TimePoint> pipe_ended;
    bool is_suspect = false;
    std::optional<Seq> alone;     // A last attempt runs here; nothing else does.
    bool is_others_turn = false;  // One ran here: what waits beside it comes next.
    bool is_open = false;         // Listed in open_.
    std::vector<Seq> waiting;  // As of its last beat.
    std::deque<InPipe> pipe;   // What it was leased; pruned lazily.
    std::size_t pipe_max = 0;  // When to prune it.
  };

  enum class State : std::uint8_t {
    kReady,    // In ready_ or alone_: waits for a worker.
    kParked,   // Refused by every worker there is.
    kNoted,    // A start found its note: its worker may come back.
    kLeased,   // A worker has it.
    kBarrier,  // Its worker is lost; whether it is settled is being read.
    kVerdict,  // Ends without a worker; pushed until the log has it.
  };
  struct Story {
    std::vector<std::string> reasons;
    std::vector<RunId> refused_by;
    bool is_feared = false;  // A worker was lost that had it: it may kill them.
    Lease failed;  // The last lease whose failure was read in the log: it is over.
  };
  struct Task {
    State state = State::kReady;
    bool is_cancelled = false;
    bool is_unconfirmed = false;
    bool is_recalled = false;  // Asked back: its return is no refusal.
    std::uint8_t recalls = 0;
    protocol::TaskState verdict = protocol::TaskState::kDead;
    std::uint16_t attempt = 0;  // Attempts begun.
    Lease lease;
    RunId run = 0;
    std::unique_ptr<Story> story;  // Of the few that something happened to.
  };

  /// A stretch of sequence numbers none of which was dispatched by this start.
  struct Fresh {
    Seq next = 1;
    Seq last = 0;
  };

  struct Suspicion {  // Leases to judge once the log has been read up to now.
    std::uint64_t after_request = 0;
    std::string reason;
    std::vector<std::pair<Seq, Lease>> leases;
  };

  void on(Submitted& event, TimePoint now, Actions& out);
  void on(CancelAsked& event, TimePoint now, Actions& out);
  void on(HelloReceived& event, TimePoint now, Actions& out);
  void on(BeatReceived& event, TimePoint now, Actions& out);
  void on(CreditReceived& event, TimePoint now, Actions& out);
  void on(GoodbyeReceived& event, TimePoint now, Actions& out);
  void on(PipeEnded& event, TimePoint now, Actions& out);
  void on(IntroducedReceived& event, TimePoint now, Actions& out);
  void on(SettledReceived& event, TimePoint now, Actions& out);
  void on(SinkRefused& event, TimePoint now, Actions& out);

  // Clients.
  const Answered* find_answer(const Submitted& event, std::string& conflict) const;
  bool is_remembering_too_much(const Submitted& event) const;
  void forget_old_answers(TimePoint now);
  std::uint8_t attempts_max_of(Seq seq) const;
  bool is_known(const TaskId& id) const;
  void cancel(Seq seq, Actions& out);

  // Workers.
  Worker* find_link(const Link& link);
  Worker* heard(const Link& link, const Peer& peer, TimePoint now, Actions& out);
  void take_levels(Worker& worker, std::uint64_t received, std::uint64_t limit);
  void judge_held(Worker& worker, const std::vector<protocol::Held>& held,
                  std::vector<protocol::Order>& orders, Actions& out);
  std::optional<protocol::OrderKind> judge_one(Worker& worker, const protocol::Held& held,
                                               Actions& out);
  void adopt(Worker& worker, Seq seq, const protocol::Held& held);
  void suspect_missing(Worker& worker, std::uint64_t received,
                       const std::vector<protocol::Held>& held);
  void lose_worker(RunId run, const std::string& reason, Actions& out);
  void release(const Task& task);
  void release_from(Worker* worker);
  Worker* find_worker(RunId run);
  /// Task seq if it is still leased to `run` so; else null.
  Task* leased_as(Seq seq, const Lease& lease, RunId run);
  bool is_any_leased(const InPipe& entry, RunId run);
  void judge_workers(TimePoint now, Actions& out);
  void recall_for_idle(TimePoint now, Actions& out);

  // The log.
  void settle(const Range& range);
  void suspect(std::vector<std::pair<Seq, Lease>> leases, std::string reason);
  void pass_barriers(std::uint64_t request, Actions& out);
  void follow(TimePoint now, Actions& out);
  void bury_lost();
  void open_recovered(TimePoint now, Actions& out);

  // The queue.
  Task& make_active(Seq seq);
  void give_back(Seq seq, Task& task, bool counts, const std::string& reason, Actions& out);
  void enqueue(Seq seq, Task& task, bool in_front);
  void save_notes(SavePlace& place, Bytes& out) const;
  void pass_verdict(Seq seq, Task& task, protocol::TaskState state);
  void push_verdicts(TimePoint now, Actions& out);
  void unpark();
  void dispatch(TimePoint now, Actions& out);
  void dispatch_alone(TimePoint now, Actions& out);
  void reserve(TimePoint now, const std::vector<RunId>& refused);
  struct Stretch {  // first, first + 1 …
    Seq first = 0;
    std::uint64_t count = 0;
  };
  std::optional<Stretch> next_fresh(std::uint64_t most);
  std::optional<Stretch> next_tasks(const Worker& worker, std::uint64_t most);
  bool is_refused_by_all(const Task& task) const;
  bool has_tasks() const;  // Last attempts aside.
  /// What is leased to one worker in one go.
  struct Load {
    std::vector<LeaseRun> runs;
    std::uint64_t count = 0;
    bool needs_sync = false;
  };
  void lease_to(Worker& worker, Seq seq, Load& load);
  void send(Worker& worker, Load load, Actions& out);
  static Story& story_of(Task& task);

  Config config_;
  Durable durable_;        // Its notes are in active_.
  SeqTable<Task> active_;  // Whatever is more than waiting for its first dispatch.
  std::deque<Seq> ready_;
  std::deque<Seq> alone_;  // Last attempts of what may kill its worker.
  std::deque<Seq> parked_;
  Fresh recovered_;  // Accepted by earlier starts: they wait for the introduction.
  Fresh fresh_;
  Seq active_highest_ = 0;
  std::unordered_map<RunId, Worker> workers_;
  std::vector<RunId> order_;  // Workers in turn, for fairness.
  std::vector<RunId> open_;   // Those with credit; may hold some without.
  std::size_t turn_ = 0;
  std::optional<RunId> reserved_;  // Runs empty for a last attempt, until …
  TimePoint reserved_until_{};     // … then none is for a while, and next time for longer.
  TimePoint next_reserved_{};
  Duration reserved_for_ = kReservedFor;
  std::uint64_t next_lease_ = 1;
  std::uint64_t leased_ = 0;
  std::set<Seq> verdicts_;
  std::vector<Seq> new_verdicts_;  // Of this turn.

  bool is_introduced_ = false;
  bool is_recovered_open_ = false;
  bool is_noted_open_ = false;
  TimePoint started_{};
  std::uint64_t log_ = 0;
  std::uint64_t cursor_ = 0;
  std::uint64_t head_seen_ = 0;
  std::uint64_t next_request_ = 1;
  std::optional<std::uint64_t> reading_;  // The request of the read that is under way.
  std::uint64_t chain_ = 0;               // The first request of this chain of reads.
  std::uint64_t goal_ = 0;                // The head that the chain's first answer told.
  TimePoint asked_{};
  std::deque<Suspicion> barriers_;
  TimePoint last_now_{};
  TimePoint next_verdicts_{};
  TimePoint next_recall_{};
  TimePoint next_judgement_{};  // Of no worker can anything be said before.
  TimePoint next_prune_{};
};

}  // namespace eole::ventilator
