#pragma once
#include <map>
#include <optional>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "worker/core/config.hpp"
#include "worker/core/credit.hpp"
#include "worker/core/events.hpp"
#include "worker/core/inbox.hpp"
#include "worker/core/link.hpp"
#include "worker/core/outbox.hpp"

namespace eole::worker {

/// Decides what a worker does: grants credit, starts tasks, keeps results until the sink has
/// them, says hello again whenever its link is in doubt. Pure: its parts and their order.
/// The node calls on_event for all input that waits, performs what that led to, then calls
/// on_deadline once.
class Core {
 public:
  /// `run` is random and drawn for this process alone.
  Core(const Config& config, RunId run, TimePoint now);

  void on_event(Event&& event, TimePoint now, Actions& out);
  void on_deadline(TimePoint now, Actions& out);
  std::optional<TimePoint> next_deadline() const;

  RunId run() const { return link_.run(); }
  bool is_empty() const { return inbox_.is_empty() && unacknowledged() == 0; }
  std::uint64_t unfinished() const { return inbox_.unfinished(); }
  std::uint64_t unacknowledged() const;

 private:
  void on(WelcomeReceived& event, TimePoint now, Actions& out);
  void on(HelloAgainReceived& event, TimePoint now, Actions& out);
  void on(PipeUp& event, TimePoint now, Actions& out);
  void on(PipeDown& event, TimePoint now, Actions& out);
  void on(TasksReceived& event, TimePoint now, Actions& out);
  void on(OrdersReceived& event, TimePoint now, Actions& out);
  void on(AckReceived& event, TimePoint now, Actions& out);
  void on(TaskFinished& event, TimePoint now, Actions& out);
  void on(BatchFinished& event, TimePoint now, Actions& out);
  void on(SlotsChanged& event, TimePoint now, Actions& out);
  void on(RunnersChanged& event, TimePoint now, Actions& out);
  void on(DrainAsked& event, TimePoint now, Actions& out);

  void doubt_link(TimePoint now, Actions& out);
  void say_hello(TimePoint now, Actions& out);
  void give_back_hoarded(TimePoint now, Actions& out);
  void grant(TimePoint now, Actions& out);
  Bytes held() const;
  bool is_overfull() const;
  bool has_too_many_origins(Origin next) const;
  void drain();
  std::uint64_t result_bytes() const;
  Outbox& outbox_of(Origin origin);

  Config config_;
  VentilatorLink link_;
  Inbox inbox_;
  Credit credit_;
  std::map<Origin, Outbox> outboxes_;  // One for each origin: none waits for another's sake.
  bool should_renew_ = false;  // What it offers, or gives back, is another hello's to say.
  bool is_draining_ = false;
  bool is_done_ = false;
};

}  // namespace eole::worker
