#pragma once
#include <sys/resource.h>

#include <chrono>
#include <optional>
#include <string>

#include "common/protocol/value.hpp"
#include "worker/command/launch.hpp"
#include "worker/command/progress_lines.hpp"
#include "worker/runners/frames/worker_socket.hpp"

namespace eole::command {

struct Surroundings {
  int null;   // /dev/null, for a command without input.
  int ended;  // Readable when a child ended.
};

/// One command: moves its streams, ends its whole tree. This process adopts every orphan of it
/// (subreaper), so that the end is exact, whatever sessions and double forks it used.
class CommandRun {
 public:
  CommandRun(frames::WorkerSocket& worker, const Surroundings& around, std::uint64_t number,
             Command command);
  /// Returns once the command and everything it started are gone, and that is told; false if the
  /// worker is gone.
  bool serve();
  /// Of a step: it went well, and this is what it printed, without the last line's end.
  bool is_done() const { return is_done_; }
  const std::string& said() const { return said_; }

 private:
  using Clock = std::chrono::steady_clock;
  enum Stream : std::uint64_t { kStdout = 1, kStderr = 2 };
  bool step();
  int milliseconds_left() const;
  bool hear_worker();
  void ask_to_end(std::uint64_t grace_ms);
  void feed();
  bool forward(Pipe& pipe, Stream stream);
  bool forward_rest(Pipe& pipe, Stream stream);
  bool hear_progress();
  void reap();
  void kill_tree();
  void note_end(pid_t pid, int status, const rusage& used);
  bool tell_end();
  bool keep(Stream stream, std::string_view bytes);
  protocol::Value how_it_ended() const;
  protocol::Value how_stopped() const;
  bool fail(std::string error, Bytes value, std::string cause = {}) {
    return worker_.send(
        frames::Failed{number_, std::move(error), std::move(value), std::move(cause)});
  }

  frames::WorkerSocket& worker_;
  const Surroundings& around_;
  std::uint64_t number_;
  Command command_;
  Pipe in_, out_, err_, progress_;
  ProgressLines lines_;
  std::string said_;       // What a script has printed, or a step.
  std::string complaint_;  // The last of standard error, of what is not a task's command.
  bool is_done_ = false;
  double user_seconds_ = 0;  // Of all that it started, and what they had in memory at most.
  double system_seconds_ = 0;
  std::int64_t memory_kib_ = 0;
  pid_t pid_ = -1;
  std::size_t fed_ = 0;
  bool is_over_ = false;
  bool has_children_ = true;
  bool needed_kill_ = false;
  std::uint64_t grace_ms_ = 0;
  std::optional<Clock::time_point> kill_at_;  // Asked to end …
  Clock::time_point asked_at_{};              // … then, and so many processes heard of it.
  int asked_ = 0;
  int status_ = 0;
};

}  // namespace eole::command
