#pragma once
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/shares.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// Tasks first, first + 1 …, all of one class.
struct Stretch {
  Seq first = 0;
  std::uint64_t count = 0;
  bool operator==(const Stretch&) const = default;
};

/// What waits for a worker: a lane for each class, and in it what came back, then what is new, the
/// oldest first, in stretches of neighbours. With few classes a task that was never dispatched
/// costs no memory.
class Queue {
 public:
  /// How many tasks of such a class a worker may have; zero: it is not for them.
  using Fits = std::function<std::uint64_t(const protocol::TaskClass&)>;
  /// How many the limits let go now; zero: the lane is held until it is let go.
  using Room = std::function<std::uint64_t(const protocol::TaskClass&)>;
  struct Served {
    std::vector<Stretch> stretches;
    std::uint64_t count = 0;  // Of tasks, in all of them.
    ClassId id = kNoClass;
    bool is_limited = false;  // There would be more, but for `room`.
  };

  /// Tasks up to `last` were accepted by earlier starts: they wait until they are opened.
  explicit Queue(Seq last) : recovered_(last) {}

  /// New tasks, or one that waited at gates. The class stays where it is until it is forgotten.
  void extend(Seq first, std::uint64_t count, ClassId id, const protocol::TaskClass& task_class);
  /// Once; those of which a class is known, and that have no conditions.
  void open_recovered(const TaskClasses& classes);
  /// Accepted by an earlier start.
  bool is_recovered(Seq seq) const { return seq <= recovered_; }
  bool is_recovered_open() const { return is_recovered_open_; }
  /// A task that came back.
  void put(Seq seq, bool in_front, ClassId id, const protocol::TaskClass& task_class);
  /// No task of this class is left.
  void forget(ClassId id);

  /// Lanes that were held and have room now are served again.
  void let_go(const Room& room);
  /// The next tasks for who `fits`, at most so many, of one class: of the highest priority,
  /// then of the project that was served the least, then the oldest.
  std::optional<Served> next(const Fits& fits, const Room& room, std::uint64_t most,
                             const Tasks& tasks, const SeqRanges& settled);
  /// What shares.hpp says. Of no use unless there are several projects.
  void on_ran(const std::string& project, const Shares::Ran& ran, std::uint64_t each_most);
  void on_runs(const std::string& project, Seq seq, std::uint64_t time);
  void on_ended(const std::string& project, Seq seq, bool is_told);
  /// Of each project so many are leased, by class.
  void put_right(const TaskClasses& classes, const std::vector<std::uint64_t>& leased);
  bool is_shared() const { return shares_.is_shared(); }
  TimePoint shared_since() const { return shares_.since(); }
  void begin_turn(TimePoint now) { shares_.begin_turn(now); }
  /// So many wait, but for those that ended meanwhile; of them, in lanes that are held …
  std::uint64_t size() const { return size_; }
  std::uint64_t held() const { return held_size_; }
  /// … and for who fits, in lanes that are not.
  std::uint64_t size(const Fits& fits) const;
  bool is_empty() const { return size_ == 0; }
  /// What is asked of a worker by whose turn it is, of those that somebody could have; null:
  /// nobody's.
  const protocol::TaskClass* first(const std::function<bool(const protocol::TaskClass&)>& could) const;
  /// The first of all lanes that is not settled: as its lane's next, so in a lane with tasks that
  /// came back it may be one of these. Costs a look at each lane, and at what is settled in it.
  std::optional<Seq> oldest(const SeqRanges& settled) const;
  /// What is in lanes: some twice, some that ended or was leased meanwhile.
  template <class Visit>  // visit(first, count)
  void each(Visit&& visit) const {
    for (const auto& [id, lane] : lanes_) {
      for (const auto seq : lane.ready) visit(seq, std::uint64_t{1});
      for (const auto seq : lane.late) visit(seq, std::uint64_t{1});
      for (const auto& stretch : lane.fresh)
        if (stretch.count > 0) visit(stretch.first, stretch.count);
    }
  }
  /// So many wait for the same workers and surely go before this one, which waits in the lane of
  /// its class; so many stretches are looked at, at most.
  std::uint64_t before(Seq seq, ClassId id, std::size_t stretches) const;

 private:
  struct Track;
  /// Whose turn it is: the least goes first.
  struct Turn {
    std::uint8_t rank = 0;  // Below the highest priority.
    std::uint64_t served = 0;  // Of its project.
    Seq first = 0;
    Track* track = nullptr;
    auto operator<=>(const Turn&) const = default;
  };
  /// Lanes that the same workers take.
  struct Group {
    protocol::TaskClass like;  // What is asked of a worker.
    std::map<std::pair<std::uint8_t, std::string>, Track> tracks;  // By rank and project.
    std::set<Turn> turns;    // Of those with a lane that is not held.
    /// By rank: what who went last had before; of who is held, at any worker that would take it.
    std::map<std::uint8_t, std::uint64_t> served;
    std::uint64_t size = 0;  // Theirs.
  };
  using Groups = std::map<std::string, Group, std::less<>>;
  struct Project {
    Shares::Project* share = nullptr;
    std::set<Track*> tracks;
  };
  /// Those of them that have one priority and project.
  struct Track {
    Groups::iterator group;
    std::uint8_t rank = 0;
    Project* project = nullptr;
    std::set<std::pair<Seq, ClassId>> open;  // By first task: those that are not held.
    std::size_t lanes = 0;                   // All.
    Turn turn;                               // As it is listed; its track is null: it is not.
    bool is_held() const { return open.empty(); }
    std::set<std::pair<Seq, ClassId>>::node_type unlisted;  // Taken out, to be put back.
  };
  struct Lane {
    Track* track;
    const protocol::TaskClass* task_class;
    std::deque<Seq> ready = {};      // Came back.
    std::deque<Stretch> fresh = {};  // None was dispatched by this start; ascending.
    std::vector<Seq> late = {};      // Nor these, which came behind younger ones: a heap.
    std::uint64_t size = 0;
    bool is_held = false;
    Seq first() const;
    std::optional<Seq> first(const SeqRanges& settled) const;
    bool is_late_next() const;
    bool is_empty() const { return ready.empty() && fresh.empty() && late.empty(); }
    std::uint64_t before(Seq seq, bool is_own, std::size_t& stretches) const;
  };
  using Lanes = std::unordered_map<ClassId, Lane>;

  /// Which group's first lane is served, and how much of it at most.
  struct Choice {
    Group* group = nullptr;
    std::uint64_t most = 0;
    Seq until = UINT64_MAX;  // What begins there or behind it comes after another lane's first.
  };
  Choice choose(const Fits& fits);
  void limit(Choice& chosen, const Turn* next) const;
  Lane& lane_of(ClassId id, const protocol::TaskClass& task_class);
  /// What the least served of it has had that is not held, and no less than who was served last;
  /// nothing: nobody waited there.
  static std::optional<std::uint64_t> begin_of(const Group& group, std::uint8_t rank);
  static bool is_held(const Project& project);
  /// To the last turn of those that it waits with where it is held.
  void catch_up(Project& project);
  /// The track has another turn now.
  static void relist(Track& track);
  void tell_held(const Track& served, const Fits& fits);
  void serve(Lane& lane, std::uint64_t tasks);
  void relist(const std::string& project);
  /// Its first task is about to change, and has.
  static void unlist(ClassId id, const Lane& lane);
  void list(ClassId id, Lane& lane);
  void drop(ClassId id, Lane& lane);
  void resize(Lane& lane, std::uint64_t taken, std::uint64_t put);
  void hold(ClassId id, Lane& lane, bool is_held);
  void take(Lane& lane, Seq until, std::uint64_t most, const Tasks& tasks, const SeqRanges& settled,
            Served& out);
  std::optional<Stretch> take_ready(Lane& lane, const Tasks& tasks);
  std::optional<Stretch> take_late(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                   const SeqRanges& settled);
  std::optional<Stretch> take_fresh(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                    const SeqRanges& settled);

  Seq recovered_;
  bool is_recovered_open_ = false;
  Lanes lanes_;
  Groups groups_;
  std::unordered_map<std::string, Project> projects_;
  Shares shares_;
  std::set<ClassId> held_;
  std::uint64_t size_ = 0;
  std::uint64_t held_size_ = 0;
};

}  // namespace eole::ventilator
