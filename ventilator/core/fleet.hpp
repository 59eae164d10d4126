#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/time.hpp"
#include "common/base/within.hpp"
#include "common/protocol/runner_offers.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/credit.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/kept_room.hpp"
#include "ventilator/core/leases.hpp"
#include "ventilator/core/limits/limit.hpp"
#include "ventilator/core/placement.hpp"
#include "ventilator/core/silence.hpp"
#include "ventilator/core/tasks.hpp"
#include "ventilator/core/why.hpp"

namespace eole::ventilator {

/// What people ask about a worker.
struct WorkerView {
  std::string name;
  RunId run = 0;
  std::uint32_t pid = 0;
  std::uint32_t slots = 0;
  std::string kinds;  // With commas between them.
  std::string state;  // ready, suspect, draining
  bool is_paused = false;
  std::uint64_t held = 0;
  std::map<std::string, std::string, std::less<>> labels = {};
  struct Resource {
    std::string name;
    std::uint64_t all = 0;  // Thousandths.
    std::uint64_t free = 0;
    bool operator==(const Resource&) const = default;
  };
  std::vector<Resource> resources = {};
  TimePoint heard{};  // When it last was.
  struct Program {
    std::string host = {};
    std::string version = {};
    std::uint32_t prefetch = 0;  // Per slot; zero: adapts.
    std::uint32_t restarts = 0;
    bool operator==(const Program&) const = default;
  };
  Program program = {};
  std::uint64_t ended = 0;  // Tasks and attempts that ended there, since it came.
  struct Broken {
    std::string runner;
    std::string problem;
    bool operator==(const Broken&) const = default;
  };
  std::vector<Broken> broken = {};  // Of its runners.
  bool operator==(const WorkerView&) const = default;
};

/// Tasks that one worker may have in all, whatever it says that it received: several times what
/// those of today have unfinished and unacknowledged.
constexpr std::uint64_t kLeasedMax = 4 * kCreditMax;
/// A hello number of another connection is no further ahead than that: otherwise none of the
/// worker's own could follow it.
constexpr std::uint32_t kHelloJumpMax = 1024;

/// One that said hello, and is not lost.
struct Worker {
  Worker() = default;
  Worker(Peer from, std::string key, const Link& its_link, protocol::Hello hello,
         std::vector<protocol::RunnerOffer> its_runners, TimePoint now);

  Peer peer;
  std::string user;  // Whose key its hello came with.
  Link link;
  protocol::Hello about;  // Without what it held.
  Credit credit;
  Silence silence;
  Leases leases;
  std::vector<Seq> waiting;  // Stored there and not started, as of its last beat.
  struct Beats {
    std::uint64_t last = 0;
    TimePoint answered{};     // When the last one was.
    // Tasks run there, or may, that are leased to it no more: so it said, or they were settled
    // elsewhere. What was sent up to this pipe number may be one, until it has come.
    bool has_strays = false;
    std::uint64_t strays_to = 0;
    bool was_heard = false;    // Since its hello.
    bool is_draining = false;  // So it said: it leaves once what runs has ended.
    TimePoint at{};         // When the last one came,
    std::set<Seq> started;  // which said that these are, if there are several projects.
  };
  Beats beats;
  std::optional<Seq> alone;     // A last attempt runs here; nothing else does.
  bool is_others_turn = false;  // One ran here: what waits beside it comes next.
  bool is_open = false;         // Listed as one with credit.
  bool is_paused = false;       // Gets nothing new.
  std::uint64_t ended = 0;      // Tasks and attempts, over all its links.
  struct Has {
    std::set<std::string, std::less<>> kinds;  // That it runs.
    protocol::Offers offers;
    std::vector<protocol::RunnerOffer> runners;
  };
  Has has;

  void release(std::uint64_t tasks);
  /// Runs tasks of this kind.
  bool runs(std::string_view kind) const { return has.kinds.contains(kind); }
  /// Has nothing, runs nothing that is others', and takes something.
  bool is_idle() const;
  /// Would start what it gets at once.
  bool has_free_slot() const;
  /// How many tasks it may be sent.
  std::uint64_t room() const;
};

/// The workers, in turn.
class Fleet {
 public:
  Fleet(const Config& config, TimePoint now) : config_(config), last_now_(now) {}

  Worker* find(RunId run);
  const Worker* find(RunId run) const;
  /// Null if `link` is not its worker's current one, or somebody else speaks for it.
  Worker* find(const Link& link, const Peer& peer, const std::string& user);
  Worker* find(const Link& link);
  /// What becomes of a hello.
  struct Admission {
    enum class Is : std::uint8_t { kWelcome, kRepeated, kLate, kRefused };
    Is is = Is::kWelcome;
    std::string reason = {};                // Why it is refused.
    std::optional<RunId> in_place_of = {};  // One that never spoke has to go.
    bool operator==(const Admission&) const = default;
  };
  Admission admit(const Peer& peer, const std::string& user, const protocol::Hello& hello,
                  TimePoint now) const;
  /// In place of whatever had its run.
  Worker& put(Worker worker, const Worker& before, TimePoint now);
  Worker take(RunId run);

  void take_levels(Worker& worker, std::uint64_t received, std::uint64_t limit);
  /// Its connection ended: nothing more goes down that pipe.
  void end_pipe(Worker& worker, TimePoint now);
  /// It gave back a task unasked, as one that leaves does: nothing more of what it was granted.
  static void end_credit(Worker& worker);
  /// The workers of this name get nothing new from now on, or again.
  void pause(std::string_view name, bool is_paused);
  /// How many tasks of this class it may be sent, but for its credit; zero: it is not for them.
  std::uint64_t room(const Worker& worker, const protocol::TaskClass& task_class,
                     const Placement& placement) const;
  /// It could have them, if it had nothing else.
  static bool fits(const Worker& worker, const protocol::TaskClass& task_class,
                   const Placement& placement);
  /// How many its resources have room for; zero: it does not fit.
  static std::uint64_t room_at(const Worker& worker, const protocol::TaskClass& task_class,
                               const Placement& placement);
  /// Some worker could have them; … and has what they need of its resources, or is the nearest to it.
  bool could_have(const protocol::TaskClass& task_class, const Placement& placement) const;
  bool has_room(const protocol::TaskClass& task_class, const Placement& placement) const;
  std::optional<RunId> nearest_to(const protocol::TaskClass& task_class,
                                  const Placement& placement) const;
  /// Now and then; `first`: what is asked of a worker by whose turn it is, or null.
  void keep_room(const protocol::TaskClass* first, Placement& placement, TimePoint now) {
    kept_room_.look(first, *this, placement, now);
  }
  /// Why no connected worker could have tasks of this class, if none could. What a runner printed
  /// is for who sees all.
  std::optional<Why> why_nobody(const protocol::TaskClass& task_class, const Placement& placement,
                                const Within& within = Within()) const;
  /// Those that take tasks now, a different one first each time.
  std::vector<Worker*> open(std::optional<RunId> reserved);

  struct Lost {
    RunId run = 0;
    std::string reason;
    bool operator==(const Lost&) const = default;
  };
  /// Appends to `suspects` the names of those that are silent since the last call.
  std::vector<Lost> judge(TimePoint now, std::vector<std::string>& suspects);
  std::optional<TimePoint> next_deadline() const;
  /// Those with a free slot.
  std::vector<const Worker*> free() const;
  /// What one that stores much is to give back, for some of these. `class_of`: of a task; null if
  /// it has none.
  using ClassOf = std::function<const protocol::TaskClass*(Seq)>;
  std::vector<protocol::Order> recall(Origin origin, const std::vector<const Worker*>& wanting,
                                      const ClassOf& class_of, Tasks& tasks, Worker*& from);

  const std::vector<RunId>& order() const { return order_; }
  std::size_t size() const { return workers_.size(); }
  /// How many left, or were lost, within the last day.
  std::size_t left(TimePoint now) const;
  /// Tasks leased to any of them. Walks all.
  std::uint64_t outstanding() const;
  std::vector<WorkerView> views(const Placement& placement) const;
  /// The kinds that any of them runs, by name. One that several describe is as the one that came
  /// last does.
  std::map<std::string, protocol::KindOffer> kinds() const;

 private:
  bool is_better_place(const Worker& worker, const protocol::TaskClass& task_class,
                       const Placement& placement) const;
  Admission admit_new(const std::string& user, TimePoint now) const;
  void count_kinds(const Worker& worker, bool is_here);
  std::string why_broken(std::string_view kind, const Within& within) const;

  Config config_;
  std::unordered_map<RunId, Worker> workers_;
  std::vector<RunId> order_;
  std::vector<RunId> open_;  // Those with credit; may hold some without.
  std::map<std::string, std::size_t, std::less<>> kinds_;  // Kind -> workers.
  std::deque<TimePoint> left_;  // When each did, the last kLeftMax.
  std::size_t turn_ = 0;
  TimePoint last_now_;
  TimePoint next_judgement_{};  // Of no worker can anything be said before.
  KeptRoom kept_room_;
};

}  // namespace eole::ventilator
