#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::ventilator {

/// Names a class as long as a task of it is not settled; then another may have it.
using ClassId = std::uint32_t;
constexpr ClassId kNoClass = UINT32_MAX;

/// Classes that tasks have which are not settled: each costs some 2 KiB. A submit with one more is
/// refused.
constexpr std::size_t kClassesMax = 16384;

/// Tasks of one project that ended together: so many, all of them between others of its project.
struct EndedTasks {
  std::string project;
  Seq first = 0;
  Seq last = 0;
  std::uint64_t count = 0;
  bool operator==(const EndedTasks&) const = default;
};

/// Which class each task has, by stretches of neighbours: with few classes a task costs no memory.
/// It follows from the task records, and is saved nowhere else.
class TaskClasses {
 public:
  struct Stretch {
    Seq last = 0;
    ClassId id = kNoClass;
    std::uint64_t live = 0;       // So many are not settled.
    bool is_conditional = false;  // They pass the gates one by one.
    bool operator==(const Stretch&) const = default;
  };

  /// Why the classes of these groups cannot be taken, if there may be so many; nothing if they can.
  std::optional<Error> why_refused(std::string_view groups, std::size_t most = kClassesMax) const;
  /// Tasks first, first + 1 … are of this class, one that was not refused. What was said of them
  /// before (a record that was written again) counts no more.
  /// `bytes`: of their specs.
  ClassId put(Seq first, std::uint64_t count, std::string_view encoded, bool is_conditional = false,
              std::uint64_t bytes = 0);
  /// kNoClass: no task of it is unsettled.
  ClassId find(std::string_view encoded) const;
  /// kNoClass: settled, or damage took its record.
  ClassId of(Seq seq) const;
  /// Null for kNoClass.
  const protocol::TaskClass* class_of(Seq seq) const {
    const auto id = of(seq);
    return id == kNoClass ? nullptr : &at(id);
  }
  const protocol::TaskClass& at(ClassId id) const { return known_[id].task_class; }
  /// By first task.
  const std::map<Seq, Stretch>& stretches() const { return stretches_; }
  std::size_t size() const { return ids_.size(); }
  /// How many tasks of a project are not settled.
  std::uint64_t live_of(std::string_view project) const;
  /// How many tasks are not settled of the projects with this prefix, and about how many bytes: of
  /// each project by the mean of its tasks.
  struct Load {
    std::uint64_t tasks = 0;
    std::uint64_t bytes = 0;
  };
  Load load_within(std::string_view prefix) const;
  /// The projects of tasks that are not settled.
  template <class Visit>  // visit(name, how many)
  void each_project(Visit&& visit) const {
    for (const auto& [name, tasks] : projects_) visit(name, tasks.live);
  }

  /// Adds first … last to `settled`, and tells which classes have no task any more, and what ended
  /// if that is asked for. Returns how many were new.
  std::uint64_t settle(Seq first, Seq last, SeqRanges& settled, std::vector<ClassId>& gone,
                       std::vector<EndedTasks>* ended = nullptr);
  /// After loading: counts what lives.
  void count_live(const SeqRanges& settled);

 private:
  struct ProjectTasks {
    std::uint64_t live = 0;
    std::uint64_t bytes = 0;  // About so many, of those.
    std::uint64_t classes = 0;
    void end(std::uint64_t tasks);
  };
  struct Known {
    protocol::TaskClass task_class;
    Bytes encoded;
    std::uint64_t uses = 0;  // Stretches.
    ProjectTasks* project = nullptr;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Stretches = std::map<Seq, Stretch>;

  ClassId intern(std::string_view encoded);
  void split(Seq at);
  Stretches::iterator erase(Stretches::iterator stretch, std::vector<ClassId>& gone);

  std::deque<Known> known_;  // By id.
  std::vector<ClassId> free_;
  std::unordered_map<Bytes, ClassId, Hash, std::equal_to<>> ids_;
  Stretches stretches_;
  std::map<std::string, ProjectTasks, std::less<>> projects_;  // While they have a class.
};

}  // namespace eole::ventilator
