#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/value.hpp"

namespace eole::worker {

using protocol::Value;

class ProcessRunner;
class Mask;
class Web;

/// A file that becomes an artifact. It is removed from the scratch directory afterwards.
struct FileResult {
  std::string path;
  std::string name;         // What a person would call it.
  std::string sha256 = {};  // Of one that was handed over already; empty: it was not.
  std::uint64_t bytes = 0;  // Of such a one.
};

/// What a handler came to.
struct Outcome {
  bool is_done = false;
  Value value;                      // Of a done task; of a failed one, what there is to tell.
  std::string error;                // Why it failed.
  std::vector<FileResult> files;    // Kept whether it is done or failed.
  bool is_lost = false;             // Not its own failure: tried again whether it asked or not.
  std::string cause = {};           // Of a failed one: common/protocol/causes.hpp; empty: error.
  std::int64_t retry_after_ms = 0;  // Another attempt makes no sense sooner.
  Value stopped = {};               // Of one that was told to end: which processes, and how.
  bool is_unbegun = false;          // Nobody took it: it waits again, and that was no attempt.

  static Outcome done(Value value) { return {true, std::move(value), {}, {}, false, {}}; }
  static Outcome failed(std::string error, Value value = {}) {
    return {false, std::move(value), std::move(error), {}, false, {}};
  }
  static Outcome lost(std::string error, Value value = {}) {
    return {false, std::move(value), std::move(error), {}, true, {}};
  }
};

/// What a handler may ask of the worker while it runs. Used from the handler's thread only, or from
/// one that it waits for.
class TaskContext {
 public:
  virtual ~TaskContext() = default;
  virtual std::string task_id() const = 0;
  /// Empty: none.
  virtual std::string project() const = 0;
  /// The W3C trace context that it is part of, as a header has it; empty: none.
  virtual std::string traceparent() const = 0;
  /// From 1 on.
  virtual std::uint32_t attempt() const = 0;
  /// True once the task must end; long work asks often.
  virtual bool is_cancelled() const = 0;
  /// It must end by then, as if its time limit was over, with all that is done of it after its
  /// handler; `limit`: the time that it had, as it is told. The last call counts.
  virtual void end_by(TimePoint until, std::chrono::milliseconds limit) = 0;
  /// Readable once the task must end, but for what end_by said.
  virtual int cancel_fd() const = 0;
  /// `total` zero: not known; `said`: what it is at, for people. Cheap: may be called at every
  /// step.
  virtual void progress(std::uint64_t done, std::uint64_t total, std::string_view said = {}) = 0;
  /// Output as it comes, cut between characters; `stream` is stdout or stderr.
  virtual void output(std::string_view stream, std::string_view bytes) = 0;
  /// A path for this attempt alone: its name holds the lease. What is there is removed after the
  /// task.
  virtual std::string scratch_path(std::string_view suffix) = 0;
  /// A fresh directory for this attempt alone, removed after it with all that it holds.
  virtual std::string scratch_directory() = 0;
  /// A path that the task's next attempt on this machine finds again, and a lock on it; nothing
  /// if an earlier attempt still holds it. Once the task is over for good it is removed, and so is
  /// every file PATH.anything beside it.
  virtual std::optional<std::string> lasting_path() = 0;
  /// An earlier attempt left something there.
  virtual bool has_lasting() const = 0;
  /// The first `bytes` of a file that is to become an artifact are there and change no more: the
  /// sink may look at them while more come. Of all of it `written` are there, some perhaps behind
  /// what is missing: the disk begins with those. Cheap, never waits.
  virtual void reach(const std::string& path, std::uint64_t bytes, std::uint64_t written) = 0;
  /// All `bytes` of it are there, and nobody changes the file from now on, also under another
  /// name: its SHA-256, once the sink has it durably.
  virtual Expected<std::string> hand_over(const std::string& path, std::uint64_t bytes) = 0;
  /// Makes an artifact of these bytes: their SHA-256, once the sink has it durably.
  virtual Expected<std::string> keep(std::string_view bytes) = 0;
  /// It becomes another file.
  virtual void take_back(const std::string& path) = 0;
  /// Fetches an artifact of at most `most` bytes from the sink to `path`, which is not there yet.
  virtual Expected<void> fetch(const std::string& sha256, const std::string& path,
                               std::uint64_t most) = 0;
  /// Hands over an artifact's bytes as they come; false ends it. Errors: also if at the end they
  /// turn out to have another digest.
  using OnBytes = std::function<bool(std::string_view bytes)>;
  virtual Expected<void> read(const std::string& sha256, const OnBytes& on_bytes) = 0;
  /// A page of how the tasks of a project ended, as the sink shows them: `parts`, how many `tasks`
  /// there are in all, and `next`, which is `from` of the next page (null: the first, the last).
  /// Null if the sink knows none of them.
  virtual Expected<Value> parts(const std::string& project, const Value& from) = 0;
  /// A secret of the worker's operator. From then on it is masked in what the task tells: its
  /// error, its value, its progress and output, and what is logged of it; not in its files.
  virtual Expected<std::string> secret(const std::string& name) = 0;
  /// Those that it asked for.
  virtual const Mask& mask() const = 0;
  /// The worker's connections to servers of HTTP.
  virtual Web& web() = 0;
  /// The process below this slot. Null unless the kind's runner is a process and the worker offers
  /// the kind.
  virtual ProcessRunner* runner() = 0;
};

}  // namespace eole::worker
