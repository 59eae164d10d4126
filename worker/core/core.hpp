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

namespace eole::worker {

/// Decides what a worker does: grants credit, starts tasks, keeps results until the sink has
/// them, says hello again whenever its link is in doubt. Pure.
/// The node calls on_event for all input that waits, then on_deadline once.
class Core {
 public:
  /// `run` is random and drawn for this process alone.
  Core(Config config, RunId run, TimePoint now);

  void on_event(Event event, TimePoint now, Actions& out);
  void on_deadline(TimePoint now, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  RunId run() const { return run_; }
  std::size_t held() const { return held_.size(); }
  std::uint64_t unfinished() const { return unfinished_; }
  std::uint64_t unacknowledged() const { return outbox_.size(); }

 private:
  enum class LinkState : std::uint8_t { kHello, kOpening, kLinked };

  struct Entry {
    Lease lease;
    protocol::HeldState state = protocol::HeldState::kWaiting;
    std::uint16_t attempt = 1;
    bool is_last = false;
    bool is_inline = false;
    bool is_cancelled = false;
    bool is_final = true;     // Finished for good, or to be tried again.
    bool is_dropped = false;  // Killed, and its result is wanted no more.
    TimePoint started{};
    Bytes spec;
  };
  struct Outgoing {
    TaskId id;
    Lease lease;
    Bytes record;
  };

  void on(WelcomeReceived& event, TimePoint now, Actions& out);
  void on(HelloAgainReceived& event, TimePoint now, Actions& out);
  void on(PipeUp& event, TimePoint now, Actions& out);
  void on(PipeDown& event, TimePoint now, Actions& out);
  void on(TasksReceived& event, TimePoint now, Actions& out);
  void on(OrdersReceived& event, TimePoint now, Actions& out);
  void on(AckReceived& event, TimePoint now, Actions& out);
  void on(TaskFinished& event, TimePoint now, Actions& out);
  void on(DrainAsked& event, TimePoint now, Actions& out);

  void receive(const protocol::TaskRecord& record, Origin origin, std::uint32_t start);
  void obey(const protocol::Order& order, Actions& out);
  void finish(const TaskId& id, Entry& entry, const TaskFinished& how);
  void say_hello(TimePoint now, Actions& out);
  protocol::Hello hello() const;
  Bytes held_records() const;
  void start_tasks(TimePoint now, Actions& out);
  void raise_limit();
  std::uint64_t prefetch() const;
  bool is_credit_urgent() const;
  void send_results(std::uint64_t from, std::uint64_t until, Actions& out) const;
  void beat(TimePoint now, Actions& out);
  std::uint64_t sent_results() const { return floor_ + sent_in_outbox_; }

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
  std::uint64_t received_sent_ = 0;
  std::unordered_map<TaskId, Entry> held_;
  std::deque<TaskId> waiting_;
  std::set<TaskId> early_cancels_;  // Their tasks are still in the pipe.
  std::uint32_t running_ = 0;       // In slots.
  std::uint64_t unfinished_ = 0;
  double run_seconds_ = 0;  // Average length of a task; zero: not known yet.

  std::uint64_t log_ = 0;
  std::uint64_t floor_ = 0;      // Results acknowledged.
  std::deque<Outgoing> outbox_;  // Numbers floor_ + 1 …
  std::uint64_t outbox_bytes_ = 0;
  std::uint64_t sent_in_outbox_ = 0;  // How many of the outbox were sent at least once.
  bool is_resending_ = false;
  TimePoint next_resend_{};
};

}  // namespace eole::worker
