#pragma once
#include <chrono>
#include <optional>
#include <span>

#include "worker/runners/process/process_runner.hpp"

namespace eole::worker {

/// The runs that a child has at once, until the last one is over. One that had to end anyway did
/// so, if not as it should have.
class Session {
 public:
  using Run = ProcessRunner::Run;
  using Ended = ProcessRunner::Ended;
  using OnEnded = ProcessRunner::OnEnded;
  /// `runs`: one at least.
  Session(ProcessRunner& runner, std::span<const Run> runs, const OnEnded& on_ended);
  /// False if the child is gone with them, or will be.
  bool serve();

 private:
  using End = ProcessRunner::End;
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;
  using Heard = Expected<void>;

  const Run& current() const { return runs_[at_]; }
  bool is_over() const { return at_ == runs_.size(); }
  void begin_next();
  void ask_to_end(bool is_cancelled);
  void tell_cancels_ahead();
  void tell_cancel(std::size_t run);
  bool insist();
  bool is_hung() const { return asked_ && Clock::now() >= *next_; }
  int wait_ms() const;

  Heard hear();
  Heard take(frames::Run&) { return Error{"a run, which only a worker says"}; }
  Heard take(frames::Cancel&) { return Error{"a cancel, which only a worker says"}; }
  Heard take(frames::Fetched&) { return Error{"a fetched, which only a worker says"}; }
  Heard take(frames::Ping&) { return Error{"a ping, which only a worker says"}; }
  Heard take(frames::Hello& hello) { return talk_.hear(hello); }
  Heard take(frames::Kind& kind) { return talk_.hear(kind); }
  Heard take(frames::Output& output);
  Heard take(frames::Progress& progress);
  Heard take(frames::Fetch& fetch);
  Heard take(frames::Pong&) { return runner_.pinged_at_.reset(), Heard(); }
  Heard take(frames::Done& done);
  Heard take(frames::Failed& failed);
  Heard end(std::uint64_t number, Ended ended, const Bytes& value);

  void finish(Ended ended);
  void leave_rest(const std::string& why);
  void lose(std::string problem);
  protocol::Value killed(pid_t pid) const;

  ProcessRunner& runner_;
  Talk& talk_;
  std::span<const Run> runs_;
  const OnEnded& on_ended_;
  std::size_t at_ = 0;         // The run that the child is at.
  std::vector<bool> is_told_;  // Of each run: that it is to end.
  // When it must end, and when its child must have said that it did.
  std::optional<Clock::time_point> next_;
  std::optional<End> asked_;
  Clock::time_point asked_at_{};
  bool is_told_by_signal_ = false;
  std::size_t answer_bytes_ = 0;  // To fetches, since the child had taken all.
};

}  // namespace eole::worker
