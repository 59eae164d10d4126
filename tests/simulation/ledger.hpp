#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "sink/core/settler.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

/// The checks' own records: what was promised and what happened, seen from outside. Every
/// function throws Violation when that breaks an invariant of the ring (docs/guarantees.md).
class Ledger {
 public:
  /// `is_calm`: nothing fails in this run, so that no task may start twice.
  explicit Ledger(bool is_calm) : is_calm_(is_calm) {}

  bool is_calm() const { return is_calm_; }

  // Clients.
  void on_answer(const TaskId& id, const std::string& body);
  /// The body promised under an id; empty if none was.
  std::string promised(const TaskId& id) const;

  // Workers.
  void on_start(const TaskId& id);
  /// In a slot, to its end.
  void on_begin(Origin origin, const std::string& kind);
  void on_end(Origin origin, const std::string& kind) { --running_[{origin, kind}]; }
  void on_grant(const Link& link, std::uint64_t limit);
  void on_hello(RunId run, const std::string& kinds) { kinds_[run] = kinds; }
  /// `last`: the highest pipe number; `runs`: of tasks.
  void on_send_tasks(Origin origin, const Link& link, std::uint64_t last, std::string_view runs);

  // Operators. From the answer on no task of the project may be sent, until it is to go on.
  void on_paused(Origin origin, const std::string& project) { paused_.emplace(origin, project); }
  /// Of this kind no more may run at a time, where no lost worker runs on.
  void on_cap(Origin origin, const std::string& kind, std::uint64_t most) {
    caps_[{origin, kind}] = most;
  }
  void on_resumed(Origin origin, const std::string& project) { paused_.erase({origin, project}); }

  void on_send_results(const protocol::Results& results);

  // The logs: what is durable in them, and what they serve.
  void on_durable(std::uint64_t log, std::string_view encoded_batch);
  void on_served(std::uint64_t log, std::string_view encoded_batch) const;
  void on_ack(RunId run, std::uint64_t level);
  /// What a log that was just opened says of how tasks ended.
  void on_log_opened(const sink::Settler& log) const;
  void on_forget(const TaskId& id) const;
  /// What a ventilator knows when it starts: no promise may be missing.
  void on_start_of(Origin origin, Seq last, const SeqRanges& settled) const;

  /// Its schedule, as the ventilator tells it at the end: each beat is one task.
  void check_beats(Origin origin, const protocol::Value& schedule) const;
  /// Faults are over and everything had time: nothing may be left.
  void check_end() const;
  std::uint64_t tasks() const { return promises_.size(); }
  /// Work that was moved: it must stand still once all is settled.
  std::uint64_t moved() const { return moved_; }

 private:
  struct Promise {
    std::string body;
    std::optional<std::uint64_t> final_offset;
    int executions = 0;
  };
  struct Final {
    protocol::TaskState state = protocol::TaskState::kDone;
    std::string project;
  };
  struct Sent {
    TaskId id;
    Lease lease;
    bool is_final = false;
  };
  static void check_dead(const protocol::ResultRecord& letter, const std::string& promised);
  bool is_calm_;
  std::map<RunId, std::string> kinds_;  // As each worker says.
  std::set<std::pair<Origin, std::string>> paused_;
  std::map<std::pair<Origin, std::string>, std::uint64_t> caps_;
  std::map<std::pair<Origin, std::string>, std::uint64_t> running_;
  std::map<TaskId, Promise> promises_;
  std::map<std::string, TaskId> done_;  // Bodies are unique: each may be done once.
  std::map<TaskId, Final> finals_;      // Durable in a log.
  std::map<TaskId, Lease> failures_;    // Durable: the last lease that failed, not for good.
  std::map<Link, std::uint64_t> limits_;
  std::map<std::pair<RunId, std::uint64_t>, Sent> sent_;
  std::map<RunId, std::uint64_t> levels_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> served_;  // log, offset -> crc
  std::uint64_t moved_ = 0;
};

}  // namespace eole::simulation
