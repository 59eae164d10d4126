#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "sink/core/events.hpp"

namespace eole::sink {

/// Decides what enters the log: each run's results in order and once, each task's first final
/// record, nothing of an origin that is not introduced. Pure. The log itself, replayed through
/// the load functions, is its whole state.
class Core {
 public:
  explicit Core(std::uint64_t log) : log_(log) {}

  // Loading, in the log's order.
  Summary load_batch(const protocol::ResultBatch& batch);
  void load_introduction(const AppendIntroduction& introduction);

  void on_event(const Event& event, Actions& out);

  /// Names the log, once it is open.
  void set_log(std::uint64_t log) { log_ = log; }
  std::uint64_t log() const { return log_; }
  /// The offset that the next record gets.
  std::uint64_t head() const { return head_; }
  /// Final records by state, indexed by TaskState.
  const std::array<std::uint64_t, 5>& counts() const { return counts_; }
  std::uint64_t settled() const;
  bool is_settled(const TaskId& id) const {
    const auto known = origins_.find(id.origin);
    return known != origins_.end() && known->second.settled.contains(id.seq);
  }
  bool is_introduced(Origin origin) const { return origins_.contains(origin); }
  /// Nothing if `nonce` is the ventilator that introduced `origin` last; else why not.
  std::optional<std::string> why_not_followed(Origin origin, std::uint64_t nonce) const;

 private:
  struct OriginState {
    std::uint32_t start = 0;
    std::uint64_t nonce = 0;
    SeqRanges settled;
  };
  void on(const ResultsReceived& event, Actions& out);
  void on(const VerdictsReceived& event, Actions& out);
  void on(const IntroduceReceived& event, Actions& out);

  static std::string problem_of(const protocol::ResultRecord& result,
                                const std::vector<std::string>& missing);
  /// A batch that grows: runs of one project.
  class Open;
  void take(const protocol::ResultRun& run, Open& open, Actions& out);
  /// What cannot be taken as it is ends as failed.
  void take_or_fail(const protocol::ResultRun& run, const std::vector<std::string>& missing,
                    Open& open, Actions& out);
  void close(Open& open, Actions& out);
  bool is_news(const protocol::ResultRecord& result);
  void forget_failures(const protocol::ResultRun& run);
  void count(const protocol::ResultRun& run);

  std::uint64_t log_;
  std::uint64_t head_ = 0;
  std::map<Origin, OriginState> origins_;
  std::unordered_map<RunId, std::uint64_t> accepted_;  // The highest number taken of each run.
  std::unordered_map<TaskId, Lease> failed_;           // The last failure that was not final.
  std::array<std::uint64_t, 5> counts_{};
};

/// What `origin`'s ventilator must know of one result batch.
void project(const protocol::ResultBatch& batch, Origin origin, protocol::Settlement& out);

/// The error text inside a result's body; empty if there is none.
std::string error_of(const protocol::ResultRecord& result);

}  // namespace eole::sink
