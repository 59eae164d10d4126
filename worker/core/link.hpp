#pragma once
#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "worker/core/config.hpp"
#include "worker/core/events.hpp"

namespace eole::worker {

/// The link to one ventilator: hello, welcome, pipe, beats. When it is in doubt the pipe is closed
/// first, so that what arrived is final; then comes a new hello.
class VentilatorLink {
 public:
  VentilatorLink(const Config& config, RunId run, TimePoint now);

  /// What its runners offer, as its next hello says.
  void offer(const std::vector<protocol::RunnerOffer>& runners);
  /// The next hello says something else than the last: one that was not answered has its number no
  /// more.
  void renew();
  /// True if the link is a new one, whose levels start anew.
  bool on_welcome(const protocol::Welcome& welcome, TimePoint now, Actions& out);
  void on_pipe_up(TimePoint now);
  /// True if there was a pipe.
  bool close(Actions& out);
  /// Whether a message of `link` counts; if so, the ventilator was heard.
  bool hear(const Link& link, TimePoint now);
  /// Whether tasks numbered from `first` are those that the pipe owes next.
  bool is_next(std::uint64_t first) const { return first == received_ + 1; }
  void receive(std::uint64_t tasks) { received_ += tasks; }
  void ask_beat() { wants_beat_ = true; }

  bool is_linked() const { return state_ == State::kLinked; }
  /// The pipe may bring tasks.
  bool has_pipe() const { return state_ != State::kHello; }
  bool is_silent(TimePoint now) const { return is_linked() && now >= silent_at(); }
  bool is_hello_due(TimePoint now) const { return !is_linked() && now >= next_hello_; }
  bool is_beat_due(TimePoint now) const { return wants_beat_ || now >= next_beat_; }
  TimePoint next_deadline() const;

  /// Once it is closed. When too many wait unanswered the next goes under a new number, over a new
  /// connection. `held`: every task received and not yet gone, as a payload.
  void say_hello(const Bytes& held, TimePoint now, Actions& out);
  void beat(std::uint64_t limit, bool is_draining, Bytes held, TimePoint now, Actions& out);
  void grant(std::uint64_t limit, Actions& out) const;
  void say_goodbye(Actions& out) const;

  RunId run() const { return self_.run; }
  /// Tasks that came down the pipe.
  std::uint64_t received() const { return received_; }

 private:
  enum class State : std::uint8_t { kHello, kOpening, kLinked };
  TimePoint silent_at() const;

  protocol::Hello self_;  // What every hello says.
  Duration retry_;
  Duration heartbeat_;
  State state_ = State::kHello;
  std::uint32_t hello_number_ = 1;
  int unanswered_ = 0;  // Hellos.
  Link link_;
  Link last_link_;
  std::uint64_t received_ = 0;
  std::uint64_t last_received_ = 0;  // On last_link_.
  TimePoint next_hello_;
  TimePoint next_beat_{};
  TimePoint heard_{};
  bool wants_beat_ = false;
  std::uint64_t beats_ = 0;
};

}  // namespace eole::worker
