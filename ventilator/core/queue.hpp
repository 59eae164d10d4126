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

#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "ventilator/core/task_class.hpp"
#include "ventilator/core/tasks.hpp"

namespace eole::ventilator {

/// Tasks first, first + 1 …, all of one class.
struct Stretch {
  Seq first = 0;
  std::uint64_t count = 0;
  bool operator==(const Stretch&) const = default;
};

/// What waits for a worker: a lane for each class, and in it what came back, then what is new, in
/// stretches of neighbours. With few classes a task that was never dispatched costs no memory.
class Queue {
 public:
  /// Whether a worker runs tasks of this kind: nothing else is served to it.
  using Fits = std::function<bool(std::string_view kind)>;

  /// Tasks up to `last` were accepted by earlier starts: they wait until they are opened.
  explicit Queue(Seq last) : recovered_(last) {}

  /// New tasks, behind all that were put before.
  void extend(Seq first, std::uint64_t count, ClassId id, std::string_view kind);
  /// Once; those of which a class is known, and that have no conditions.
  void open_recovered(const TaskClasses& classes);
  /// Accepted by an earlier start.
  bool is_recovered(Seq seq) const { return seq <= recovered_; }
  bool is_recovered_open() const { return is_recovered_open_; }
  /// A task that came back.
  void put(Seq seq, bool in_front, ClassId id, std::string_view kind);
  /// No task of this class is left.
  void forget(ClassId id);

  /// The next tasks for who `fits`, at most so many.
  std::optional<Stretch> next(const Fits& fits, std::uint64_t most, const Tasks& tasks,
                              const SeqRanges& settled);
  /// So many wait, for all or for who fits, but for those that ended meanwhile.
  std::uint64_t size() const { return size_; }
  std::uint64_t size(const Fits& fits) const;
  bool is_empty() const { return size_ == 0; }

 private:
  /// Lanes by their first task.
  struct Kind {
    std::set<std::pair<Seq, ClassId>> lanes;
    std::uint64_t size = 0;
  };
  using Kinds = std::map<std::string, Kind, std::less<>>;
  struct Lane {
    Kinds::iterator kind;
    std::deque<Seq> ready;      // Came back.
    std::deque<Stretch> fresh;  // None was dispatched by this start.
    std::uint64_t size = 0;
    Seq first() const { return ready.empty() ? fresh.front().first : ready.front(); }
    bool is_empty() const { return ready.empty() && fresh.empty(); }
  };
  using Lanes = std::unordered_map<ClassId, Lane>;

  /// Which kind's first lane is served.
  Kinds::iterator choose(const Fits& fits);
  Lane& lane_of(ClassId id, std::string_view kind);
  /// Its first task is about to change, and has.
  void unlist(ClassId id, const Lane& lane);
  void list(ClassId id, Lane& lane);
  void drop(ClassId id, const Lane& lane);
  void resize(Lane& lane, std::uint64_t taken, std::uint64_t put);
  std::optional<Stretch> take(Lane& lane, std::uint64_t most, const Tasks& tasks,
                              const SeqRanges& settled);
  std::optional<Stretch> take_fresh(Lane& lane, std::uint64_t most, const Tasks& tasks,
                                    const SeqRanges& settled);

  Seq recovered_;
  bool is_recovered_open_ = false;
  Lanes lanes_;
  Kinds kinds_;
  std::uint64_t size_ = 0;
};

}  // namespace eole::ventilator
