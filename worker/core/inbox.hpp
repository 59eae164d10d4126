#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "worker/core/config.hpp"
#include "worker/core/events.hpp"
#include "worker/core/outbox.hpp"
#include "worker/core/slot_use.hpp"

namespace eole::worker {

/// The tasks that are held and have not ended: what waits, what runs, what is given back.
class Inbox {
 public:
  explicit Inbox(const Config& config);

  struct Received {
    std::uint32_t count = 0;
    std::uint64_t bytes = 0;
    bool is_whole = true;  // The message is what it says; if not, what was good of it is received.
  };
  /// The tasks of a message; what the outbox has of them counts for its later lease there.
  Received receive(protocol::Tasks tasks, Outbox& outbox, TimePoint now, Actions& out);
  void obey(const protocol::Order& order, Actions& out);
  /// What runs beyond them runs on.
  void set_slots(std::uint32_t slots) { slots_.set_slots(slots); }
  /// What its runners offer from now on, and how many they take at once: what waits for one that
  /// cannot start is given back.
  using Ahead = std::map<std::string, std::uint32_t, std::less<>>;
  void offer(const std::vector<protocol::RunnerOffer>& runners, Ahead ahead);
  /// Of what waits, the newest.
  void give_back_beyond(std::uint64_t most);
  /// No more is started; what waits is given back.
  void drain();
  /// Starts what waits while there are slots; if nothing may run, only what was cancelled. So many
  /// of a kind whose runner takes several `together` may share a slot.
  void start(TimePoint now, bool may_run, std::uint64_t together, Actions& out);
  /// Ends what runs for longer than its class allows.
  void end_overdue(TimePoint now, Actions& out);
  /// TimePoint::max() if nothing that runs has a time limit.
  TimePoint next_deadline() const;

  /// A task that ran here, and how long; nothing of one that was cancelled before it started.
  struct Ended {
    Lease lease;
    std::uint16_t attempt = 1;
    bool is_cancelled = false;
    bool is_wanted = true;  // Its result; if not, it was dropped.
    std::optional<Duration> took;
    bool shared_slot = false;  // With others, before it too: that it took says little.
    protocol::TaskClass task_class;
    std::string key;
    std::int64_t submitted_unix_ms = 0;
  };
  /// Nothing if no such task was started.
  std::optional<Ended> end(const TaskId& id, TimePoint now);
  /// A task that was started and that nobody took waits again, behind the others; the ventilator
  /// may recall it meanwhile. It is given back if its kind is not offered any more. Not: there is
  /// none, or its end is wanted whatever it is, since it was cancelled or dropped.
  enum class Again : std::uint8_t { kNot, kHere, kElsewhere };
  Again wait_again(const TaskId& id);
  struct EndedBatch {
    std::shared_ptr<const Batch> batch;
    Duration took{};
  };
  std::optional<EndedBatch> end(const std::shared_ptr<const Batch>& batch, TimePoint now);
  /// Their tasks' pipe is closed.
  void forget_early_cancels() { early_cancels_.clear(); }

  void append_held(std::vector<protocol::Held>& held) const;
  /// Something is given back since the last beat.
  bool has_news() const { return has_news_; }
  void note_beat() { has_news_ = false; }
  bool is_empty() const { return held_.empty() && batches_.empty(); }
  bool has_waiting() const { return !waiting_.empty(); }
  std::uint64_t waiting() const { return waiting_.size(); }
  std::uint64_t unfinished() const { return unfinished_; }
  /// Of the tasks that are held.
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Lease lease;
    protocol::HeldState state = protocol::HeldState::kWaiting;
    std::uint16_t attempt = 1;
    bool has_slot = false;
    std::uint64_t group = 0;  // That it shares its slot with; zero: with none.
    bool is_cancelled = false;
    bool is_dropped = false;      // Killed, and its result is wanted no more.
    bool is_wanted_anew = false;  // Though: leased again while the killed one winds down.
    TimePoint started{};
    protocol::TaskClass task_class;
    Bytes args;
    /// When its time limit is over, if it has one.
    TimePoint overdue() const { return started + std::chrono::milliseconds(task_class.timeout_ms); }
    Bytes conditions;
    Bytes trace;
    std::int64_t submitted_unix_ms = 0;
    Bytes lost;  // As the run told it.
    std::uint64_t bytes() const {
      return args.size() + conditions.size() + trace.size() + lost.size() + task_class.kind.size() +
             task_class.project.size();
    }
  };
  /// How the tasks of a run are taken.
  struct Run {
    std::string_view encoded;  // Its class.
    const protocol::TaskClass* task_class = nullptr;
    bool is_known = false;
    bool is_inline = false;
  };

  Received receive_all(const protocol::Tasks& tasks, Outbox& outbox, Batch& batch);
  bool begin_run(std::string_view encoded, Run& run, Batch& batch) const;
  void receive(const Task& task, const protocol::TaskSpec& spec, std::string_view lost,
               const Run& run, Batch& batch);
  bool is_here(const Task& task, std::string_view lost);
  void forget(std::unordered_map<TaskId, Entry>::iterator entry);
  void give_back(Entry& entry);
  void begin(const TaskId& id, Entry& entry, TimePoint now, Actions& out);
  void share_slot(const Entry& first, std::uint64_t together, TimePoint now, Actions& out);
  void leave_slot(Entry& entry);
  void wait_anew(const TaskId& id, Entry& entry);
  bool is_offered(const Entry& entry) const;

  SlotUse slots_;
  struct Kinds {
    std::set<std::string, std::less<>> own;
    std::set<std::string, std::less<>> all;  // Those, and what runners offer.
  };
  Kinds kinds_;
  std::set<std::string, std::less<>> inline_kinds_;
  std::map<std::string, std::uint32_t, std::less<>> ahead_;
  std::unordered_map<TaskId, Entry> held_;      // Of a batch: there.
  std::deque<std::shared_ptr<Batch>> batches_;  // Started; they end in this order.
  TimePoint batches_started_{};
  std::map<Origin, Seq> highest_;  // Received ever: what lies above it is new.
  std::deque<TaskId> waiting_;
  std::set<TaskId> early_cancels_;                 // Their tasks are still in the pipe.
  std::set<std::pair<TimePoint, TaskId>> limits_;  // Of those that have one: when it is over.
  std::uint64_t unfinished_ = 0;
  std::uint64_t bytes_ = 0;
  bool is_draining_ = false;
  bool has_news_ = false;
};

}  // namespace eole::worker
