#pragma once
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "worker/core/config.hpp"
#include "worker/core/events.hpp"

namespace eole::worker {

/// Decides what a worker does: grants credit, starts tasks, keeps results until the sink has
/// them, says hello again whenever its link is in doubt. Pure.
/// The node calls on_event for all input that waits, performs what that led to, then calls
/// on_deadline once.
class Core {
  using TaskState = protocol::TaskState;

 public:
  /// `run` is random and drawn for this process alone.
  Core(Config config, RunId run, TimePoint now);

  void on_event(Event event, TimePoint now, Actions& out);
  void on_deadline(TimePoint now, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  RunId run() const { return run_; }
  bool is_empty() const { return held_.empty() && batches_.empty() && outbox_.empty(); }
  std::uint64_t unfinished() const { return unfinished_; }
  std::uint64_t unacknowledged() const { return last_result_ - floor_; }

 private:
  enum class LinkState : std::uint8_t { kHello, kOpening, kLinked };

  struct Entry {
    Lease lease;
    protocol::HeldState state = protocol::HeldState::kWaiting;
    std::uint16_t attempt = 1;
    bool has_slot = false;
    bool is_cancelled = false;
    bool is_dropped = false;     // Killed, and its result is wanted no more.
    bool is_wanted_anew = false;  // Though: leased again while the killed one winds down.
    TimePoint started{};
    Bytes spec;
  };
  /// A task whose result waits for its acknowledgement.
  struct Finished {
    TaskId id;
    Lease lease;  // The latest under which it came.
    bool is_final = true;
    bool is_tried_again = false;  // Its next attempt is held here too.
  };
  /// Results that travel together, now and whenever they are sent again.
  struct Parcel {
    std::uint64_t first = 0;  // The number of its first result.
    std::vector<Finished> tasks;
    std::shared_ptr<Bytes> records = std::make_shared<Bytes>();  // Fixed once it was sent.
    Seq seq_min = UINT64_MAX;
    Seq seq_max = 0;
    std::uint64_t last() const { return first + tasks.size() - 1; }
  };

  void on(WelcomeReceived& event, TimePoint now, Actions& out);
  void on(HelloAgainReceived& event, TimePoint now, Actions& out);
  void on(PipeUp& event, TimePoint now, Actions& out);
  void on(PipeDown& event, TimePoint now, Actions& out);
  void on(TasksReceived& event, TimePoint now, Actions& out);
  void on(OrdersReceived& event, TimePoint now, Actions& out);
  void on(AckReceived& event, TimePoint now, Actions& out);
  void on(TaskFinished& event, TimePoint now, Actions& out);
  void on(BatchFinished& event, TimePoint now, Actions& out);
  void on(DrainAsked& event, TimePoint now, Actions& out);

  bool receive_all(const protocol::Tasks& tasks, Batch& batch);
  void receive(const Task& task, std::string_view raw_spec, bool is_inline, Batch& batch);
  bool is_here(const Task& task);
  Finished* find_finished(const TaskId& id);
  void obey(const protocol::Order& order, Actions& out);
  void finish(std::span<const Task> tasks, TaskState state, std::int64_t finished_unix_ms,
              std::uint32_t run_ms, std::string_view artifacts, std::string_view bodies);
  Parcel& open_parcel();
  void wait_anew(const TaskId& id, Entry& entry);
  void learn_length(Duration took, std::size_t tasks);
  void say_hello(TimePoint now, Actions& out);
  protocol::Hello hello() const;
  std::vector<protocol::Held> held_list() const;
  void start_tasks(TimePoint now, Actions& out);
  void raise_limit();
  std::uint64_t prefetch() const;
  bool is_credit_urgent() const;
  void send_parcels(std::size_t from, std::size_t until, Actions& out) const;
  void beat(TimePoint now, Actions& out);
  std::uint64_t sent_results() const {
    return parcels_sent_ == 0 ? floor_ : outbox_[parcels_sent_ - 1].last();
  }

  Config config_;
  RunId run_;
  LinkState state_ = LinkState::kHello;
  std::uint32_t hello_number_ = 1;
  Link link_;
  Link last_link_;
  std::uint64_t last_received_ = 0;  // On last_link_.
  TimePoint next_hello_{};
  TimePoint next_beat_{};
  TimePoint ventilator_heard_{};
  Duration heartbeat_;
  bool wants_beat_ = false;
  bool is_draining_ = false;
  bool is_done_ = false;
  std::uint64_t beats_ = 0;

  std::uint64_t received_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t limit_sent_ = 0;
  std::unordered_map<TaskId, Entry> held_;      // Of a batch or the outbox: there.
  std::deque<std::shared_ptr<Batch>> batches_;  // Started; they end in this order.
  TimePoint batches_started_{};
  std::map<Origin, Seq> highest_;  // Received ever: what lies above it is new.
  std::deque<TaskId> waiting_;
  std::set<TaskId> early_cancels_;  // Their tasks are still in the pipe.
  std::uint32_t running_ = 0;       // In slots.
  std::uint64_t unfinished_ = 0;
  double run_seconds_ = 0;  // Average length of a task; zero: not known yet.

  std::uint64_t log_ = 0;
  std::uint64_t floor_ = 0;        // Results acknowledged.
  std::uint64_t last_result_ = 0;  // The highest number given.
  std::deque<Parcel> outbox_;      // The numbers above floor_, and some below it in the first.
  std::uint64_t outbox_bytes_ = 0;
  std::size_t parcels_sent_ = 0;  // How many of the outbox were sent at least once.
  TimePoint results_due_{};       // When the others go at the latest.
  bool is_resending_ = false;
  TimePoint next_resend_{};
};

}  // namespace eole::worker
