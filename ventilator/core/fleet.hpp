#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/credit.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/leases.hpp"
#include "ventilator/core/silence.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// What people ask about a worker.
struct WorkerView {
  std::string name;
  RunId run = 0;
  std::uint32_t pid = 0;
  std::uint32_t slots = 0;
  std::string kinds;
  std::string state;  // ready, suspect
  std::uint64_t held = 0;
  bool operator==(const WorkerView&) const = default;
};

/// One that said hello, and is not lost.
struct Worker {
  Worker() = default;
  Worker(Peer from, const Link& its_link, protocol::Hello hello, TimePoint now);

  Peer peer;
  Link link;
  protocol::Hello about;  // Without what it held.
  Credit credit;
  Silence silence;
  Leases leases;
  std::vector<Seq> waiting;  // Stored there and not started, as of its last beat.
  std::uint64_t last_beat = 0;
  TimePoint answered_beat{};    // When the last one was.
  std::optional<Seq> alone;     // A last attempt runs here; nothing else does.
  bool is_others_turn = false;  // One ran here: what waits beside it comes next.
  bool is_open = false;         // Listed as one with credit.

  void release(std::uint64_t tasks);
  /// Has nothing, and takes something.
  bool is_idle() const;
  /// Would start what it gets at once.
  bool has_free_slot() const;
};

/// The workers, in turn.
class Fleet {
 public:
  Fleet(const Config& config, TimePoint now) : config_(config), last_now_(now) {}

  Worker* find(RunId run);
  const Worker* find(RunId run) const;
  /// Null if `link` is not its worker's current one.
  Worker* find(const Link& link);
  /// In place of whatever had its run.
  Worker& put(Worker worker, const Worker& before, TimePoint now);
  Worker take(RunId run);

  void take_levels(Worker& worker, std::uint64_t received, std::uint64_t limit);
  /// Its connection ended: nothing more goes down that pipe.
  void end_pipe(Worker& worker, TimePoint now);
  /// Those that take tasks now, a different one first each time.
  std::vector<Worker*> open(std::optional<RunId> reserved);

  struct Lost {
    RunId run = 0;
    std::string reason;
    bool operator==(const Lost&) const = default;
  };
  std::vector<Lost> judge(TimePoint now);
  std::optional<TimePoint> next_deadline() const;
  /// While another one has a free slot: what the one that stores the most is to give back.
  std::vector<protocol::Order> recall(Origin origin, Tasks& tasks, Worker*& from);

  const std::vector<RunId>& order() const { return order_; }
  std::size_t size() const { return workers_.size(); }
  /// Tasks leased to any of them. Walks all.
  std::uint64_t outstanding() const;
  std::vector<WorkerView> views() const;

 private:
  Config config_;
  std::unordered_map<RunId, Worker> workers_;
  std::vector<RunId> order_;
  std::vector<RunId> open_;  // Those with credit; may hold some without.
  std::size_t turn_ = 0;
  TimePoint last_now_;
  TimePoint next_judgement_{};  // Of no worker can anything be said before.
};

}  // namespace eole::ventilator
