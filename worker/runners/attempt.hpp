#pragma once
#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clients/cpp/blocking/artifact_client.hpp"
#include "clients/cpp/blocking/handover.hpp"
#include "clients/cpp/blocking/requests.hpp"
#include "common/base/time.hpp"
#include "common/protocol/trace.hpp"
#include "worker/core/events.hpp"
#include "worker/handlers/handler.hpp"
#include "worker/handlers/live_output.hpp"
#include "worker/handlers/registry.hpp"
#include "worker/handlers/secrets.hpp"
#include "worker/handlers/signers.hpp"
#include "worker/runners/lasting.hpp"
#include "worker/runners/part_lists.hpp"
#include "worker/runners/scratch.hpp"

namespace eole::worker {

/// The wish that an attempt ends: the loop asks, the slot's thread looks.
class Cancel {
 public:
  Cancel() = default;
  ~Cancel();
  Cancel(const Cancel&) = delete;
  Cancel& operator=(const Cancel&) = delete;
  enum class Why : std::uint8_t { kNothing, kCancelled, kTimeout };
  /// The first wish counts.
  void ask(Why why);
  Why why() const { return why_; }
  bool is_asked() const { return why() != Why::kNothing; }
  /// Since when; only of one that was asked.
  TimePoint asked_at() const { return TimePoint(Duration(asked_ticks_)); }
  /// Readable once it was asked. Made for who asks first: most short tasks end before. By one
  /// thread.
  int fd() const;

 private:
  std::atomic<Why> why_{Why::kNothing};
  std::atomic<Duration::rep> asked_ticks_{0};
  mutable std::atomic<int> fd_{-1};
};

/// What an attempt finds around it.
struct Surroundings {
  std::string scratch;  // A directory of this worker's own; lasting files of a task live here.
  SpareDirectory& spare;  // Of this thread, in it.
  client::ArtifactClient& artifacts;
  std::function<client::Requests&()> sink;  // Few attempts ask it.
  const ProcessRunners& runners;
  Web& web;
  const Secrets& secrets;
  const Signers& signers;  // Of commands.
  std::function<void(protocol::Progress)> tell;
  std::function<bool()> is_stopping;
  TimePoint next_sweep{};  // Of what nobody came back for.
};

class Attempt;
/// Several of kinds of one foreign runner, which has them at once and runs them one after another.
/// `on_finished` hears of each when it has ended.
void run_together(std::deque<Attempt>& attempts,
                  const std::function<void(TaskFinished)>& on_finished);

/// One attempt of a task in a slot's thread: calls its handler, shows it the world, and reports.
/// What it left in the scratch directory goes with it.
class Attempt final : public TaskContext {
 public:
  Attempt(const StartTask& task, Cancel& cancel, Surroundings& around)
      : task_(task), cancel_(cancel), around_(around) {
    if (const auto found = around.runners.by_kind.find(task.task_class.kind);
        found != around.runners.by_kind.end())
      runner_ = found->second;
  }
  ~Attempt() override;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  /// Whatever the handler throws is the task's failure, never the worker's.
  TaskFinished run();

  std::string task_id() const override { return to_text(task_.id); }
  std::string project() const override { return task_.task_class.project; }
  std::string traceparent() const override { return protocol::traceparent_of(task_.trace); }
  std::uint32_t attempt() const override { return task_.attempt; }
  bool is_cancelled() const override;
  void end_by(TimePoint until, std::chrono::milliseconds limit) override {
    until_ = until;
    limit_ = limit;
  }
  int cancel_fd() const override { return cancel_.fd(); }
  void progress(std::uint64_t done, std::uint64_t total, std::string_view said = {}) override;
  void output(std::string_view stream, std::string_view bytes) override;
  std::string scratch_path(std::string_view suffix) override;
  std::string scratch_directory() override;
  std::optional<std::string> lasting_path() override;
  bool has_lasting() const override;
  void reach(const std::string& path, std::uint64_t bytes, std::uint64_t written) override;
  Expected<std::string> hand_over(const std::string& path, std::uint64_t bytes) override;
  Expected<std::string> keep(std::string_view bytes) override;
  void take_back(const std::string& path) override { handovers_.erase(path); }
  Expected<void> fetch(const std::string& sha256, const std::string& path,
                       std::uint64_t most) override;
  Expected<void> read(const std::string& sha256, const OnBytes& on_bytes) override;
  Expected<Value> parts(const std::string& project, const Value& from) override;
  Expected<std::string> secret(const std::string& name) override;
  const Mask& mask() const override { return mask_; }
  Web& web() override { return around_.web; }
  ProcessRunner* runner() override { return runner_; }

 private:
  friend void run_together(std::deque<Attempt>& attempts,
                           const std::function<void(TaskFinished)>& on_finished);
  Outcome call();
  /// What to hand to a foreign runner; an error: why nothing.
  Expected<ProcessRunner::Run> begin();
  Outcome not_begun(const Error& why) const;
  TaskFinished end(Outcome outcome);
  bool is_over_time() const;
  std::uint64_t time_limit_ms() const;
  void start_clock();
  bool has_part_lists() const { return task_.args.find(kPartsReference) != task_.args.npos; }
  bool has_results() const {
    return !task_.conditions.empty() && task_.args.find("$result") != task_.args.npos;
  }
  Expected<Bytes> encoded_args();
  Expected<void> put_references(Value& args);
  Expected<void> fetch_here(const std::string& sha256, const std::string& name);
  /// Puts what it takes of its parents' results among the arguments.
  Expected<void> put_results(protocol::Value& args);
  void settle_lasting(const Outcome& outcome);
  void tell_failure(const Outcome& outcome) const;

  const StartTask& task_;
  Cancel& cancel_;
  Surroundings& around_;
  TimePoint started_{};
  TimePoint next_progress_{};
  std::optional<TimePoint> until_;
  std::chrono::milliseconds limit_{};          // Of its time, until then.
  std::optional<LiveOutput> stdout_, stderr_;  // Of a foreign runner, if there is any.
  Mask mask_;
  std::vector<std::string> scratch_;
  std::string directory_;  // Of a foreign runner's task.
  std::map<std::string, client::Handover> handovers_;  // By the paths of their files.
  std::unique_ptr<LastingFile> lasting_;
  bool wants_retry_ = false;
  ProcessRunner* runner_ = nullptr;  // As the kind says.
};

}  // namespace eole::worker
