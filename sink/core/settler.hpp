#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "common/base/histogram.hpp"
#include "sink/core/batch.hpp"
#include "sink/core/checkpoint.hpp"
#include "sink/core/copies.hpp"
#include "sink/core/events.hpp"
#include "sink/core/failures.hpp"
#include "sink/core/groups.hpp"
#include "sink/core/letters.hpp"
#include "sink/core/origins.hpp"
#include "sink/core/projects.hpp"
#include "sink/core/results_admission.hpp"
#include "sink/core/runs.hpp"
#include "sink/core/under_way.hpp"
#include "sink/core/waiting.hpp"

namespace eole::sink {

/// What is known of a task without a look into the log.
struct KnownTask {
  bool has_record = false;  // In the log, if it is kept.
  bool is_settled = false;
  protocol::TaskState state = protocol::TaskState::kDone;  // How it ended, if it is settled.
};

/// What ended of one kind, since the process began.
struct KindEnds {
  std::array<std::uint64_t, 5> ends{};  // By TaskState; at zero: attempts that are tried again.
  Histogram runs;                       // Of attempts.
};

/// Decides what enters the log: each run's results in order and once, each task's first final
/// record, nothing of an origin that is not introduced. Pure. The log itself, from a checkpoint on
/// replayed through the load functions, is its whole state.
class Settler {
 public:
  explicit Settler(std::uint64_t log) : log_(log) {}

  // Loading, in the log's order.
  Summary load_batch(const protocol::ResultBatch& batch);
  void load_introduction(const AppendIntroduction& introduction) { origins_.load(introduction); }
  void load_run(const AppendRun& run) { runs_.claim(run.run, run.user); }
  void load_discard(const AppendDiscard& letters) {
    letters_.discard(letters.origin, letters.seqs);
  }

  bool load_part(Part part, std::string_view payload);
  /// Where the log begins, as far as it is loaded.
  void load_head(std::uint64_t head) { head_ = head; }

  /// The artifacts that matter to results from this key: those that results name which may be taken
  /// now. Error: they are more than anybody may look at.
  Expected<NamedArtifacts> artifacts_named(const protocol::Results& results,
                                           std::string_view user) const;
  void on_event(const Event& event, Actions& out);
  /// Takes those of these tasks off the list of dead letters that are on it, and names them.
  SeqRanges discard(Origin origin, const SeqRanges& seqs);
  /// The next record of a checkpoint; nothing: that was all. All that was decided before it is in
  /// the log before it.
  std::optional<PartRecord> save(SavePlace& place) const;
  /// The time, a level: some of what is known is not kept for ever.
  void set_time(std::int64_t unix_ms) { runs_.set_time(unix_ms); }

  /// Names the log, once it is open.
  void set_log(std::uint64_t log) { log_ = log; }
  std::uint64_t log() const { return log_; }
  /// The offset that the next record gets.
  std::uint64_t head() const { return head_; }
  /// Final records by state, indexed by TaskState.
  const std::array<std::uint64_t, 5>& counts() const { return counts_; }
  const Origins& origins() const { return origins_; }
  const Runs& runs() const { return runs_; }
  std::size_t waiting_bytes() const { return waiting_.bytes(); }
  const Letters& letters() const { return letters_; }
  const Projects& projects() const { return projects_; }
  UnderWay& under_way() { return under_way_; }
  const UnderWay& under_way() const { return under_way_; }
  /// The readers that share this log.
  Groups& groups() { return groups_; }
  const Groups& groups() const { return groups_; }
  const ByKind<KindEnds>& kinds() const { return kinds_; }
  KnownTask known(const TaskId& id) const;

 private:
  void on(const ResultsReceived& event, Actions& out);
  void on(const VerdictsReceived& event, Actions& out);
  void on(const IntroduceReceived& event, Actions& out);
  void on(const AnnounceReceived& event, Actions& out);
  void go_on(Origin origin, Actions& out);

  static std::string problem_of(const protocol::ResultRecord& result,
                                const MissingArtifacts& missing);
  void take(const protocol::ResultRun& run, OpenBatch& open, Actions& out);
  /// What cannot be taken as it is ends as failed.
  void take_or_fail(const protocol::ResultRun& run, const MissingArtifacts& missing,
                    OpenBatch& open, Actions& out);
  void close(OpenBatch& open, Actions& out);
  bool is_copys_end(const protocol::ResultRecord& result) const;
  void take_copy(const protocol::ResultRun& run, OpenBatch& open, Actions& out);
  void take_lost(const protocol::ResultRun& run, OpenBatch& open, Actions& out);
  void remember(const protocol::ResultRun& run);
  bool is_news(const protocol::ResultRecord& result);
  void count(const protocol::ResultRun& run, std::uint64_t offset);
  void measure(const protocol::ResultRun& run);
  void save(SavePlace& place, Bytes& out) const;

  std::uint64_t log_;
  std::uint64_t head_ = 0;
  Origins origins_;
  Runs runs_;
  Waiting waiting_;
  Letters letters_;
  Failures failures_;
  Copies copies_;  // In no checkpoint.
  std::array<std::uint64_t, 5> counts_{};
  Projects projects_;
  UnderWay under_way_;  // In no checkpoint.
  Groups groups_;
  ByKind<KindEnds> kinds_;
};

}  // namespace eole::sink
