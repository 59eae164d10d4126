#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "sink/core/settler.hpp"
#include "tests/simulation/compact_rules.hpp"
#include "tests/simulation/group_rules.hpp"
#include "tests/simulation/limit_rules.hpp"
#include "tests/simulation/order_rules.hpp"
#include "tests/simulation/place_rules.hpp"
#include "tests/simulation/project_rules.hpp"
#include "tests/simulation/retry_rules.hpp"
#include "tests/simulation/share_rules.hpp"
#include "tests/simulation/tasks.hpp"
#include "tests/simulation/tenant_rules.hpp"
#include "tests/simulation/time_rules.hpp"
#include "tests/simulation/weather.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

/// The checks' own records: what was promised and what happened, seen from outside. Every
/// function throws Violation when that breaks an invariant of the ring (docs/guarantees.md).
class Ledger {
 public:
  Ledger(const World& world, const Weather& weather);

  bool is_calm() const { return is_calm_; }

  // Clients.
  void on_submit(const std::string& body, Plan plan);
  void on_answer(const TaskId& id, const std::string& body);
  void on_refused(std::string_view body) { tasks_.refuse(body); }
  void on_cancel(const TaskId& id) { tasks_.at(id).may_be_cancelled = true; }
  /// The body promised under an id; empty if none was.
  std::string promised(const TaskId& id) const;

  // Workers.
  void on_start(const TaskId& id, std::string_view body);
  /// In a slot, to its end.
  void on_begin(Origin origin, const std::string& kind) { limits_.on_begin(origin, kind); }
  void on_end(Origin origin, const std::string& kind) { limits_.on_end(origin, kind); }
  /// A task took this of the result of `parent`, which the sink shows as `record`.
  void on_reference(const TaskId& parent, const std::string& value,
                    const protocol::Value& record) const;
  void on_run(const TaskId& id, Duration ran, bool was_ended) const;
  void on_grant(const Link& link, std::uint64_t limit);
  void on_hello(const protocol::Hello& hello) { places_.on_hello(hello); }
  /// `last`: the highest pipe number; `runs`: of tasks.
  void on_send_tasks(Origin origin, const Link& link, std::uint64_t last, std::string_view runs);

  // Operators. From the answer on no task of the project may be sent, until it is to go on.
  void on_paused(Origin origin, const std::string& project) { paused_.emplace(origin, project); }
  void on_resumed(Origin origin, const std::string& project) { paused_.erase({origin, project}); }
  /// What the sink keeps of a task that is to be done anew.
  void on_spec(const TaskId& id, std::string_view args, const Plan& plan) const;
  LimitRules& limits() { return limits_; }
  ShareRules& shares() { return shares_; }
  ProjectRules& projects() { return projects_; }
  TenantRules& tenants() { return tenants_; }
  GroupRules& groups() { return groups_; }
  const CompactRules& compact() const { return compact_; }

  void on_send_results(const protocol::Results& results);

  // The logs: what is durable in them, and what they serve.
  void on_durable(std::uint64_t log, std::string_view encoded_batch);
  void on_served(std::uint64_t log, std::string_view encoded_batch) const;
  void on_ack(RunId run, std::uint64_t level);
  /// What a log that was just opened says of how tasks ended.
  void on_log_opened(const sink::Settler& log) const;
  void on_forget(const TaskId& id) const;
  /// What a ventilator knows when it starts: no promise may be missing.
  void on_start_of(Origin origin, Seq last, const SeqRanges& settled);

  /// Tasks that no worker may get any more, and that have not ended.
  std::vector<Seq> expired(Origin origin) const;
  /// Its schedule, as the ventilator tells it at the end: each beat is one task.
  void check_beats(Origin origin, const protocol::Value& schedule) const;
  /// Faults are over and everything had time: nothing may be left.
  void check_end() const;
  std::uint64_t tasks() const { return tasks_.all().size(); }
  /// Work that was moved: it must stand still once all is settled.
  std::uint64_t moved() const { return moved_; }

 private:
  struct Sent {
    TaskId id;
    Lease lease;
    bool is_final = false;
    bool is_copy = false;
  };
  void know(const TaskId& id, std::string_view body);
  void on_send(const protocol::TaskRun& run, Origin origin, const protocol::TaskClass& task_class);
  void on_copy(const protocol::ResultRecord& result, std::uint64_t log, bool is_told);
  bool is_logged(const Sent& sent) const;
  void on_final(const protocol::ResultRecord& result, std::uint64_t offset);
  void on_submitted(const TaskId& id, std::int64_t unix_ms);
  void check_dead(const protocol::ResultRecord& letter, const SeenTask& task) const;
  bool was_restarted(Origin origin) const;
  const World& world_;
  bool is_calm_;
  std::set<std::pair<Origin, std::string>> paused_;
  std::map<Origin, int> starts_;  // Of ventilators.
  Tasks tasks_;
  OrderRules order_{tasks_};
  ProjectRules projects_{tasks_};
  TenantRules tenants_{tasks_};
  TimeRules times_;
  RetryRules retries_;
  LimitRules limits_;
  ShareRules shares_;
  PlaceRules places_;
  GroupRules groups_;
  CompactRules compact_;
  std::map<std::string, TaskId> done_;          // Bodies are unique: each may be done once.
  std::map<TaskId, std::set<Lease>> failures_;  // Durable: the leases that failed, not for good.
  std::map<TaskId, Lease> ends_;                // The lease that settled it; zero: a verdict.
  std::map<std::pair<TaskId, Lease>, std::set<std::uint64_t>> copies_;  // Told, in these logs.
  std::map<Link, std::uint64_t> granted_;
  std::map<std::pair<RunId, std::uint64_t>, Sent> sent_;
  std::map<RunId, std::uint64_t> levels_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint32_t> served_;  // log, offset -> crc
  std::uint64_t moved_ = 0;
};

}  // namespace eole::simulation
